// Administrator calls write exactly one row each (run_claim: one for each run), in the transaction
// of the change; everybody else's calls, repeats and refusals write none (actions.md 3.7, 2.6,
// M.11, properties 20 and 22). The calls stand in audit_table.ts.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  AccessWorld, identityOf, nameAnswer, tenantOf, type CallerName,
} from "../support/access_world.js";
import { Client, type Answer, type Params } from "../support/client.js";
import { useClone } from "../support/clone.js";
import {
  administratorCalls, detailMembers, plantRun, refusedCalls, secret, silentCalls,
  type AdministratorCall, type Changed, type Prepared,
} from "./audit_table.js";

const clone = useClone();
let world: AccessWorld;
/** Holds every administrator permission, and may be named by nobody; it names the others. */
let deputy: Client;
let deputy_identity: string;
const tokens: string[] = [];

beforeAll(async () => {
  world = await AccessWorld.start(clone());
  const held = ["plugin:delegate", "agent_run:admin", "runtime:admin", "plugin:admin"];
  const { token, plugin_identity } = await world.register(held);
  deputy = await Client.open(world.host.url, token);
  deputy_identity = plugin_identity;
  tokens.push(token, ...world.tokens.values());
});
afterAll(async () => {
  deputy.socket.terminate();
  await world.stop();
});

const callerOf: Record<AdministratorCall["permission"], CallerName> = {
  "agent_run:admin": "run_admin", "runtime:admin": "runtime_admin", "plugin:admin": "plugin_admin",
};

async function lastId(): Promise<number> {
  const [row] = await world.sql`select coalesce(max(id), 0)::int as id from run_audit`;
  return row!["id"];
}

/** Rows of the default tenant after `id`, oldest first, as the wire shows them. */
async function readSince(id: number): Promise<Answer[]> {
  const { items } = await world.of("builtin").call("audit_page", { limit: 100 });
  return items.filter((item: Answer) => item.id > id).reverse();
}

const countSince = async (id: number): Promise<number> => {
  const [row] = await world.sql`select count(*)::int as count from run_audit where id > ${id}`;
  return row!["count"];
};

/** The rows that a call changes, each with the transaction that wrote it. */
async function readChanged(changed: readonly Changed[]): Promise<{ xmin: string; row: unknown }[]> {
  const { sql } = world;
  const read = ([table, key]: Changed) => {
    switch (table) {
      case "agent_run":
        return sql`select xmin::text, to_jsonb(r) as row from agent_run r
          where tenant_id = 'default' and run_id = ${key}`;
      case "agent_runtime":
        return sql`select xmin::text, to_jsonb(r) as row from agent_runtime r
          where tenant_id = 'default' and runtime_id = ${key}`;
      case "plugin":
        return sql`select xmin::text, to_jsonb(r) - 'last_seen_at' as row from plugin r
          where tenant_id = 'default' and plugin_identity = ${key}`;
      case "plugin_token":
        return sql`select xmin::text, to_jsonb(r) as row from plugin_token r
          where tenant_id = 'default' and plugin_identity = ${key} and revoked_at is null`;
    }
  };
  return (await Promise.all(changed.map(read))).flat() as never;
}

interface Actor {
  as: CallerName;
  via: string | null;
  ask(method: string, params: Params): Promise<{ result?: unknown; error?: never }>;
}

const direct = (as: CallerName): Actor => ({
  as, via: null, ask: (method, params) => world.of(as).ask(method, params) as never,
});
const delegated = (as: CallerName): Actor => ({
  as, via: deputy_identity,
  ask: (method, params) =>
    deputy.ask(method, { ...params, caller_plugin_identity: identityOf(as) }) as never,
});

/** What has to be seen of each row, in the order of the changes. */
function nameDue(call: AdministratorCall, { as, via }: Actor, made: Prepared, key_id?: string) {
  return made.rows.map(({ detail, ...target }) => ({
    domain: call.permission.split(":")[0], actor: identityOf(as), via, action: call.method,
    permission: call.permission,
    target_run_id: target.target_run_id ?? null, target_identity: target.target_identity ?? null,
    workspace_id: target.workspace_id ?? null,
    ...(call.method === "run_claim" ? {}
      : { target_runtime_id: target.target_runtime_id ?? null }),
    detail: "key_id" in detail ? { ...detail, key_id } : detail,
  }));
}

const titled = administratorCalls.map((call) => [`${call.method}: ${call.what}`, call] as const);

describe.each([
  ["by the administrator", (call: AdministratorCall) => direct(callerOf[call.permission])],
  ["by runhost/admin", () => direct("builtin")],
  ["in the administrator's name", (call: AdministratorCall) =>
    delegated(callerOf[call.permission])],
] as const)("%s", (_title, choose) => {
  test.each(titled)("%s", async (_name, call) => {
    const actor = choose(call);
    const made = await call.prepare(world, actor.as);
    const before = await lastId();
    const { result, error } = await actor.ask(call.method, made.params);
    expect(error).toBeUndefined();
    tokens.push(...findTokens(result));
    const rows = await readSince(before);
    expect(rows).toMatchObject(nameDue(call, actor, made, (result as Answer).key_id));
    expect(await countSince(before)).toBe(made.rows.length);
    const members = rows.flatMap(({ detail }) => Object.keys(detail));
    expect(members.filter((name) => !detailMembers[call.method]?.includes(name))).toEqual([]);
    const { xmins } = await readTransactions(before);
    expect(new Set([...xmins, ...(await readChanged(made.changed)).map(({ xmin }) => xmin)]).size)
      .toBe(1);
    if (call.again === null) return;
    const repeated = await lastId();
    await actor.ask(call.method, made.params);
    expect(await countSince(repeated)).toBe(call.again ?? 0);
  });
});

async function readTransactions(id: number): Promise<{ xmins: string[] }> {
  const rows = await world.sql`select xmin::text from run_audit where id > ${id}`;
  return { xmins: rows.map(({ xmin }) => xmin) };
}

/** Claim tokens and plugin tokens of an answer, wherever they stand. */
function findTokens(value: unknown): string[] {
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, member]) =>
    (/^(claim_)?token$/.test(name) ? [String(member)] : findTokens(member)));
}

test("the runtime of a claim is the target, too, where it is shown", async () => {
  const { items } = await world.of("builtin").call("audit_page", { action: "run_claim" });
  for (const item of items) {
    expect([null, item.detail.runtime_id]).toContain(item.target_runtime_id);
  }
});

describe("a row that cannot be written takes its change back", () => {
  beforeAll(async () => {
    await world.sql.unsafe(`
      create function refuse_audit() returns trigger language plpgsql as $$
      begin raise exception 'the audit is full'; end $$`);
  });

  const blocked = async <T>(work: () => Promise<T>): Promise<T> => {
    await world.sql.unsafe(`create trigger refuse_audit before insert on run_audit
      for each row execute function refuse_audit()`);
    try {
      return await work();
    } finally {
      await world.sql.unsafe("drop trigger refuse_audit on run_audit");
    }
  };

  test.each(titled)("%s", async (_name, call) => {
    const actor = direct(callerOf[call.permission]);
    const made = await call.prepare(world, actor.as);
    const before = { audit: await lastId(), rows: await readChanged(made.changed) };
    const answer = await blocked(() => actor.ask(call.method, made.params));
    expect(answer.error).toMatchObject({ data: { code: expect.stringMatching(/^[A-Z_]+$/) } });
    expect(JSON.stringify(answer.error)).not.toContain("the audit is full");
    expect(await countSince(before.audit)).toBe(0);
    expect(await readChanged(made.changed)).toEqual(before.rows);
  });
});

describe("no row", () => {
  test.each(silentCalls.map((call) => [`${call.method} ${call.what}`, call] as const))(
    "%s", async (_title, call) => {
      const params = await call.prepare(world);
      const before = await lastId();
      expect(nameAnswer(await world.of(call.caller).ask(call.method, params) as never)).toBe("ok");
      expect(await countSince(before)).toBe(0);
    });

  test.each(refusedCalls.map((call) => [`${call.method} refused: ${call.what}`, call] as const))(
    "%s", async (_title, call) => {
      const params = await call.prepare(world);
      const before = await lastId();
      const answer = await world.of(call.caller).ask(call.method, params);
      expect(nameAnswer(answer as never)).toBe(call.answer);
      expect(await countSince(before)).toBe(0);
    });
});

describe("what the table does not say", () => {
  test("a limited permission admits like another, and its rows carry the workspace", async () => {
    const { run_id } = await plantRun(world);
    const before = await lastId();
    await world.of("limited").call("run_cancel", { target_run_id: run_id });
    expect(await readSince(before)).toMatchObject([{
      actor: "acme/limited", permission: "agent_run:admin", domain: "agent_run",
      target_run_id: run_id, workspace_id: "w1",
    }]);
  });

  test("a run without a workspace leaves it out", async () => {
    const { run_id } = await plantRun(world, { workspace: null });
    const before = await lastId();
    await world.of("run_admin").call("run_cancel", { target_run_id: run_id });
    expect(await readSince(before)).toMatchObject([{ target_run_id: run_id, workspace_id: null }]);
  });

  // 3.7: repeats that change nothing write none; M.4: the stored Run, idempotent, unchanged.
  test("run_finalize repeated with the usage, cost and metadata that are stored", async () => {
    const { run_id } = await plantRun(world, { state: "ended_inside" });
    const params = {
      target_run_id: run_id, status: "completed", usage: { total_tokens: 7 }, cost: { eur: 1 },
      metadata: { note: secret },
    };
    const first = await lastId();
    await world.of("run_admin").call("run_finalize", params);
    expect(await countSince(first)).toBe(1);
    const second = await lastId();
    await world.of("run_admin").call("run_finalize", params);
    expect(await countSince(second)).toBe(0);
  });

  test("another tenant's identity is changed in the audit of that tenant", async () => {
    const before = await lastId();
    const { plugin_identity, token } = await world.register([], "tenant-b");
    tokens.push(token);
    const rows = await world.sql`
      select tenant_id, actor, target_identity from run_audit where id > ${before}`;
    expect([...rows]).toEqual([
      { tenant_id: "tenant-b", actor: "runhost/admin", target_identity: plugin_identity },
    ]);
    expect(tenantOf("tenant_b_admin")).toBe("tenant-b");
  });

  test("rows are never changed, nor by the calls that follow", async () => {
    const read = () => world.sql`
      select xmin::text, to_jsonb(a) as row from run_audit a order by id limit 50`;
    const before = await read();
    const { run_id } = await plantRun(world);
    await world.of("run_admin").call("run_cancel", { target_run_id: run_id });
    await world.of("builtin").call("runtime_reconcile", {});
    expect([...await read()]).toEqual([...before]);
  });
});

test("no row holds a token, an input or a user's text", async () => {
  const [all] = await world.sql`
    select string_agg(to_jsonb(a)::text, ' ') as text, count(*)::int as count from run_audit a`;
  expect(all!["count"]).toBeGreaterThan(100);
  const text = String(all!["text"]);
  expect(text).not.toContain(secret);
  const secrets = tokens.map((token) => token.split("_").at(-1) ?? token);
  expect(secrets.length).toBeGreaterThan(20);
  expect(secrets.filter((part) => text.includes(part))).toEqual([]);
});
