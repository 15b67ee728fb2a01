// Replays the access sheet over a real socket: every cell makes what it needs, calls, and is
// compared with what the contract says. An action without a row, or a row without a column, fails.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Client } from "../support/client.js";
import { useClone } from "../support/clone.js";
import { makeRun, type MadeRun } from "../support/access_runs.js";
import {
  AccessWorld, callers, nameAnswer, runtimeOf, type CallerName,
} from "../support/access_world.js";
import { columnNames, columns, kinds, type Column } from "./columns.js";
import { claimRows } from "./sheet_claims.js";
import { contextMethods, contextRows } from "./sheet_context.js";
import { fleetRows } from "./sheet_fleet.js";
import { pluginSheet } from "./sheet_plugins.js";
import { readRows } from "./sheet_reads.js";
import { operatorRows } from "./sheet_stats.js";
import { waitRows } from "./sheet_waits.js";
import { writeRows } from "./sheet_writes.js";
import { findGaps, listCells, type Cell, type Row, type Scene } from "./sheet.js";

const rows: readonly Row[] = [
  ...pluginSheet, ...readRows, ...writeRows, ...claimRows, ...fleetRows, ...waitRows,
  ...operatorRows, ...contextRows,
];

/** Pinned: the methods of the contract that this host serves. */
const methods = [
  "plugin_connect", "ping", "rpc.discover", "plugin_register", "plugin_list",
  "plugin_rotate_token", "plugin_set_enabled", "run_create", "run_get", "run_list",
  "run_events_page", "run_cancel", "run_append_result", "run_emit_result", "run_finalize",
  "run_claim", "run_renew_claim", "run_release_claim", "runner_register", "runner_list",
  "runtime_register", "runtime_heartbeat", "runtime_deregister", "runtime_list",
  "run_wait", "run_retry", "runtime_reconcile", "run_stats", "runner_stats", "runtime_stats",
  "audit_page", "run_explain", ...contextMethods,
];
/** Cells that are under way at once; they share nothing but the identities. */
const cells_at_once = 8;

const clone = useClone();
let world: AccessWorld;

beforeAll(async () => {
  world = await AccessWorld.start(clone());
});
afterAll(() => world.stop());

describe("the form of the sheet", () => {
  test("every method of the contract has rows, and no other", () => {
    expect([...new Set(rows.map(({ action }) => action))].sort()).toEqual([...methods].sort());
  });

  test("the host's own document lists these methods and no other", async () => {
    const { methods: documented } = await world.of("plain").call("rpc.discover", {});
    expect(documented.map(({ name }: { name: string }) => name).sort())
      .toEqual([...methods].sort());
  });

  test("every row has every column once, and says why", () => {
    expect(rows.flatMap(findGaps)).toEqual([]);
  });

  test("every column is of a kind, and every kind has a column", () => {
    const listed = Object.values(kinds).flat();
    expect([...new Set(listed)].sort()).toEqual([...columnNames].sort());
    expect(Object.entries(kinds).filter(([, names]) => [...names].length === 0)).toEqual([]);
  });

  test("a row that lacks a column is found", () => {
    const [row] = rows;
    const lacking = { ...row!, cells: row!.cells.slice(1) };
    expect(findGaps(lacking)).not.toEqual([]);
  });

  test("a row stands once", () => {
    const titles = rows.map(({ action, variant }) => `${action} (${variant})`);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });
});

describe("what the host answers", () => {
  test.each(rows.map((row) => [`${row.action}: ${row.variant}`, row] as const))(
    "%s", async (_title, row) => {
      const cells = listCells(row);
      const differing: string[] = [];
      const next = async (): Promise<void> => {
        for (let cell = cells.pop(); cell !== undefined; cell = cells.pop()) {
          const got = await playCell(row, cell);
          const { column, expected, why } = cell;
          if (got === expected) continue;
          differing.push(`${column}: ${expected} is due, not ${got} (${why})`);
        }
      };
      await Promise.all(Array.from({ length: cells_at_once }, next));
      expect(differing.sort()).toEqual([]);
    });

  test("no cell made an incident", () => {
    expect(world.incidents).toEqual([]);
  });
});

async function playCell(row: Row, cell: Cell): Promise<string> {
  const column: Column = columns[cell.column];
  const scene = await setScene(row, column);
  await row.prepare?.(world, scene);
  const params = {
    ...(row.params?.(scene) ?? {}),
    ...(column.as === undefined ? {} : { caller_plugin_identity: column.as }),
  };
  if (column.caller !== "nobody" && column.caller !== "disabled") {
    return nameAnswer((await world.of(column.caller).ask(row.action, params)) as never);
  }
  const client = await Client.open(world.host.url);
  try {
    if (column.caller === "disabled") {
      await client.refusal("plugin_connect", { token: world.tokens.get("disabled") });
    }
    return nameAnswer((await client.ask(row.action, params)) as never);
  } finally {
    client.socket.terminate();
  }
}

async function setScene(row: Row, column: Column): Promise<Scene> {
  const place = { conversation_id: world.unique("conversation"), grants: row.grants ?? "default" };
  const queue_name = world.unique("queue");
  const judged = judgeBy(column);
  const spec = row.naming === "both" ? column.target : column.run;
  const needsRun = row.naming !== "none" || row.variant === "parent run";
  const run = needsRun ? await makeRun(world, spec, place) : null;
  if (row.ended === true && run !== null) await endAsFailed(spec.state, run.run_id);
  const session = row.naming === "both" ? await makeRun(world, column.session, place) : null;
  if (row.needs?.includes("queue") && spec.state !== "missing") {
    await makeRun(world, { ...spec, state: "queued" }, { ...place, queue_name });
  }
  const needs = (need: string) => row.needs?.includes(need as never) ?? false;
  return {
    judged,
    naming: nameRuns(row, column, { run, session }),
    run: run?.run_id ?? "",
    workspace: spec.workspace,
    queue_name,
    fresh: world.unique("fresh"),
    token: world.tokens.get(column.caller === "nobody" ? "plain" : column.caller) ?? "",
    owners_runtime: needs("owners_runtime") ? await registerRuntime("owner") : "",
    own_runtime: needs("own_runtime") ? await registerRuntime(judged) : "",
    victim: needs("victim") ? (await world.register([])).plugin_identity : "",
    strong_victim: needs("strong_victim")
      ? (await world.register(["agent_run:admin"])).plugin_identity : "",
  };
}

const endedBefore = [
  "missing", "claim_ended", "ended_inside", "failed_inside", "ended_past", "failed_past",
];

async function endAsFailed(state: string, target_run_id: string): Promise<void> {
  if (endedBefore.includes(state)) return;
  await world.of("builtin").call("run_finalize", { target_run_id, status: "failed", force: true });
}

async function registerRuntime(caller: CallerName): Promise<string> {
  const runtime_id = world.unique("rt");
  await world.of(caller).call("runtime_register", { runtime_id, heartbeat_ttl_seconds: 3600 });
  return runtime_id;
}

/** Whose rights count. Refused delegations are judged before anything of theirs is looked at. */
function judgeBy({ caller, as }: Column): CallerName {
  if (as === "acme/owner" || caller === "nobody" || caller === "disabled") return "owner";
  return as === undefined ? caller : "plain";
}

function nameRuns(
  row: Row,
  column: Column,
  made: { run: MadeRun | null; session: MadeRun | null },
): Record<string, unknown> {
  const run_id = made.run?.run_id;
  const runs = {
    none: {},
    run_id: { run_id },
    target: { target_run_id: run_id },
    same: { run_id, target_run_id: run_id },
    both: { run_id: made.session?.run_id, target_run_id: run_id },
  }[row.naming];
  if (row.claim === undefined) return runs;
  const guess = row.claim === "required"
    ? { runtime_id: runtimeOf("owner"), claim_token: "0".repeat(32) } : {};
  return { ...runs, ...(column.shows ? showClaim(column, made.run?.claim ?? guess) : guess) };
}

function showClaim(column: Column, claim: Record<string, unknown>): Record<string, unknown> {
  if (column.shows === "wrong_token") return { ...claim, claim_token: "f".repeat(32) };
  if (column.shows !== "wrong_epoch") return claim;
  return { ...claim, claim_epoch: Number(claim["claim_epoch"]) + 1 };
}

test("callers have names of their own in their tenant", () => {
  const names = Object.values(callers).map(([tenant, identity]) => `${tenant} ${identity}`);
  expect(new Set(names).size).toBe(names.length);
  expect(columnNames.length).toBeGreaterThan(50);
});
