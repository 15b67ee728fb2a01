// Commands of who is who, and those whose answers only count or describe: plugins and their tokens,
// delegation, statistics, the audit, and the calls that need no identity.

import fc from "fast-check";
import { expect } from "vitest";
import type { Answer } from "../../support/client.js";
import { command, expectSteps, readPages, same, type Command } from "./command.js";
import {
  names, refuse, requireAdmin, type AuditRow, type Name, type Reference,
} from "../reference/reference.js";
import { countStatuses } from "../reference/context.js";
import type { Tenant } from "../world.js";

type Plugin = "one" | "two";

/** An operator's call; its row in the audit of plugins is due when something changed. */
async function operate(
  { model, real }: { model: Reference; real: Tenant }, method: string, params: object,
  isChange: boolean,
): Promise<Answer> {
  const { tenant_id } = real;
  const answer = await real.operator.call(method, { tenant_id, ...params });
  real.count(method);
  if (isChange) model.plugin_audit.push(method);
  return answer;
}

const closeAll = async (real: Tenant, of: Plugin): Promise<void> => {
  const closings = await Promise.all(real.actors[of].clients.map(({ closed }) => closed));
  for (const { code } of closings) expect([4401, 1005, 1000]).toContain(code);
};

export const enables = (of: Plugin, enabled: boolean): Command =>
  command(`${of} is ${enabled ? "enabled" : "disabled"}`, async ({ model, real }) => {
    const plugin_identity = real.actors[of].identity;
    const isChange = model.enabled[of] !== enabled;
    const answer = await operate({ model, real }, "plugin_set_enabled",
      { plugin_identity, enabled }, isChange);
    expect([answer.plugin_identity, answer.enabled]).toEqual([plugin_identity, enabled]);
    model.enabled[of] = enabled;
    if (!enabled) await closeAll(real, of);
  });

export const rotates = (of: Plugin): Command =>
  command(`the token of ${of} is rotated`, async ({ model, real }) => {
    const actor = real.actors[of];
    const { token } = await operate({ model, real }, "plugin_rotate_token",
      { plugin_identity: actor.identity }, true);
    const old = actor.token;
    actor.token = token;
    await closeAll(real, of);
    await expect(real.open(old)).rejects.toThrow("401");
  });

export const grants = (of: Plugin, isCreator: boolean): Command =>
  command(`${of} ${isCreator ? "may" : "may not"} create`, async ({ model, real }) => {
    const plugin_identity = real.actors[of].identity;
    const permissions = isCreator ? ["agent_run:create"] : [];
    const answer = await operate({ model, real }, "plugin_register",
      { plugin_identity, permissions }, model.creates[of] !== isCreator);
    expect([answer.created, answer.permissions, "token" in answer])
      .toEqual([false, permissions, false]);
    model.creates[of] = isCreator;
  });

export const listsPlugins = (by: Name): Command =>
  command(`${by} lists plugins`, async ({ model, real }) => {
    // Nobody of this tenant has plugin:admin.
    await same({ model, real }, { by, method: "plugin_list", params: {} },
      () => refuse("FORBIDDEN", "permission_missing"));
    const { tenant_id } = real;
    const { items } = await real.operator.call("plugin_list", { tenant_id, limit: 100 });
    real.count("plugin_list");
    const found = items.map((item: Answer) =>
      [item.plugin_identity, item.enabled, item.permissions.includes("agent_run:create")]);
    expect(found.slice(0, 3)).toEqual(names.map((name) =>
      [real.actors[name].identity, model.enabled[name], model.creates[name]]));
    const page = await real.operator.call("audit_page", { tenant_id, domain: "plugin", limit: 100 });
    // Four registrations made the tenant.
    expect(page.items.map(({ action }: Answer) => action).reverse())
      .toEqual([...Array(4).fill("plugin_register"), ...model.plugin_audit].slice(-100));
  });

/** Who may not be named, is not there or not enabled, or is named by who may not name anybody. */
export const speaksFor = (by: Name | "hub", named: Name | "nobody" | "built-in"): Command =>
  command(`${by} speaks for ${named}`, async ({ model, real }) => {
    if (by !== "hub" && (by === named || !model.enabled[by])) return;
    const caller_plugin_identity = named === "built-in" ? "runhost/admin" : `acme/${named}`;
    const client = by === "hub" ? real.hub : (await real.connect(by, 0))!;
    const { error } = await client.ask("run_list", { caller_plugin_identity });
    const isNamed = named === "one" || named === "two" || named === "admin";
    const isCovered = by === "hub" && isNamed && model.enabled[named];
    if (isCovered && (named === "admin" || model.creates[named])) expect(error).toBeUndefined();
    else expect([error?.data.code, error?.data["reason"]]).toEqual(
      isCovered ? ["INVALID_PARAMS", undefined] : ["FORBIDDEN", "identity_mismatch"]);
  });

export const describes = (by: Name): Command =>
  command(`${by} asks who it is`, async ({ model, real }) => {
    if (!model.enabled[by]) return;
    const client = (await real.connect(by, 1))!;
    const [told, pong, document] = await Promise.all([
      client.call("plugin_connect"), client.call("ping"), client.call("rpc.discover"),
    ]);
    for (const method of ["plugin_connect", "ping", "rpc.discover"]) real.count(method);
    expect([told.plugin_identity, told.tenant_id, told.permissions.includes("agent_run:create")])
      .toEqual([real.actors[by].identity, real.tenant_id, model.creates[by]]);
    expect([pong.ok, Math.floor(pong.time_ms / 1000)]).toEqual([true, pong.time]);
    expect(document.methods.map(({ name }: Answer) => name)).toContain("rpc.discover");
    const { error } = await client.ask("plugin_connect", { token: real.actors[by].token });
    expect(error?.data.code).toBe("INVALID_PARAMS");
  });

export const counts = (by: Name): Command =>
  command(`${by} counts`, async ({ model, real }) => {
    const call = (method: string) => same({ model, real }, { by, method, params: {} },
      () => requireAdmin(by));
    const runs = await call("run_stats");
    if (runs === null) {
      await call("runner_stats");
      await call("runtime_stats");
      return;
    }
    const statuses = countStatuses(model);
    const total_count = model.runs.length;
    expect(runs.answer).toMatchObject({ ...statuses, created_count: 0, total_count });
    const runners = await call("runner_stats");
    expect(runners!.answer.items.map(showRunner)).toEqual(countRunners(model, real));
    const runtimes = await call("runtime_stats");
    const registered = Object.values(model.runtimes).filter(({ gone }) => !gone);
    expect(runtimes!.answer).toMatchObject({
      total_count: registered.length,
      stale_count: registered.filter(({ status, overdue }) => status === "stale" || overdue).length,
      active_runs: statuses["claimed_count"]! + statuses["running_count"]!,
      claimed_runs: statuses["claimed_count"], queued_runs: statuses["queued_count"],
    });
  });

const showRunner = (row: Answer): unknown[] => [row.runner_id, row.total_runs, row.active_runs,
  row.completed_runs, row.failed_runs, row.cancelled_runs];

function countRunners(model: Reference, real: Tenant): unknown[] {
  return (["one", "two"] as const).map((owner) => {
    const of = (...statuses: string[]): number => model.runs
      .filter((run) => run.owner === owner && statuses.includes(run.status)).length;
    const total = model.runs.filter((run) => run.owner === owner).length;
    return [real.actors[owner].runner_id, total, of("queued", "claimed", "running"),
      of("completed"), of("failed", "timeout"), of("cancelled")];
  })
    .filter(([, total]) => total !== 0)
    .sort((a, b) => Number(b[1]) - Number(a[1]) || (String(a[0]) < String(b[0]) ? -1 : 1));
}

const showRow = ({ action, actor, via, run }: AuditRow): string =>
  [action, actor, via, run === null ? "" : run.run_id].join(" ");

export const audits = (by: Name, limit: number): Command =>
  command(`${by} reads the audit by ${limit}`, async ({ model, real }) => {
    const call = { by, method: "audit_page", params: { limit } };
    const out = await same({ model, real }, call, () => requireAdmin(by));
    if (out === null) return;
    const items = await readPages(real, call);
    const named = new Set(model.audit.filter(({ run }) => run === null).map(({ action }) => action));
    const found = items.map(({ action, actor, via, target_run_id }) =>
      [action, actor, via, named.has(action) ? "" : target_run_id].join(" "));
    expectSteps(found.reverse(), model.audit, (row) =>
      showRow(named.has(row.action) ? { ...row, run: null } : row));
  });

export const anyPlugin = fc.constantFrom<Plugin>("one", "two");
