// Any JSON for any parameter is taken, named by a path, or refused by a documented code: a schema
// never throws anything else. Accepted rows are changed at random places, from a fixed seed.

import { expect, it } from "vitest";
import { buildPublished } from "../../src/actions/events/published_event.js";
import { buildRun } from "../../src/actions/run_request.js";
import { Refusal } from "../../src/contract/errors.js";
import type { GrantFacts } from "../../src/contract/grants.js";
import { contextTables } from "./tables/params_context.js";
import { fleetTables } from "./tables/params_fleet.js";
import { ingressTables } from "./tables/params_ingress.js";
import { statisticsTables } from "./tables/params_statistics.js";
import { pluginTables } from "./tables/params_plugins.js";
import { runCreateTable } from "./tables/params_run_create.js";
import { runTables } from "./tables/params_runs.js";
import { payloadTables } from "./tables/payload_rows.js";
import { collectActions, judgeParams } from "./schemas.js";

const seed = 20_250_711;

/** Mulberry32: small, seeded, the same on every machine. */
function createRandom(state: number): (below: number) => number {
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const oddities: unknown[] = [
  null, true, false, 0, -0, -1, 0.5, 1e308, 2 ** 53, "", "x", "abc", "9".repeat(19), "5", " ",
  "plugin:a/b/c", "a/b", "😀", [], [[]], [null], {}, { a: null }, { toString: 1 },
  { length: 5 }, { then: 1 }, { toJSON: 1 }, { constructor: 1 }, { role: 1 }, [{ id: 1 }],
];

/** A copy of `value` in which one place holds something odd. */
function disturb(value: unknown, random: (below: number) => number): unknown {
  const odd = () => structuredClone(oddities[random(oddities.length)]);
  if (typeof value !== "object" || value === null || random(4) === 0) return odd();
  if (Array.isArray(value)) {
    const copy: unknown[] = [...value];
    const at = random(copy.length + 1);
    copy[at] = at === copy.length ? odd() : disturb(copy[at], random);
    return copy;
  }
  const names = Object.keys(value);
  const at = random(names.length + 1);
  const name = names[at] ?? ["hasOwnProperty", "valueOf", "run_id", "data", "event"][random(5)]!;
  const members = value as Record<string, unknown>;
  return { ...members, [name]: at === names.length ? odd() : disturb(members[name], random) };
}

const actions = collectActions();
const emitted = payloadTables.flatMap(({ type, accepted }) =>
  accepted.map(([, data]) => ({ run_id: "r", sequence: 1, type, data })),
);
const tables = [
  ...pluginTables, ...runTables, runCreateTable, ...fleetTables, ...statisticsTables,
  ...ingressTables, ...contextTables,
].map((table) => ({
  name: table.action,
  rows: [
    ...table.accepted.map(([, params]) => params),
    ...(table.action === "run_emit_result" ? emitted : []),
  ],
}));

const builders: Partial<Record<string, Build>> = {
  run_create: buildRun,
  event_publish: buildPublished,
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

it.each(tables)(`$name, seed ${seed}`, ({ name, rows }) => {
  const action = actions.get(name);
  if (action === undefined) throw new Error(`there is no ${name}`);
  const random = createRandom(seed);
  const codes = new Set<string>();
  for (let round = 0; round < 1500; round += 1) {
    const params = disturb(disturb(rows[random(rows.length)], random), random);
    if (!isObject(params)) continue;
    const judged = judgeParams(action, params);
    if ("code" in judged) codes.add(judged.code);
    if ("paths" in judged) expect(judged.paths.length).toBeGreaterThan(0);
    const build = builders[name];
    if ("params" in judged && build) judgeBuilt(build, { ...judged, sent: params, codes });
  }
  for (const code of codes) {
    expect(["PAYLOAD_TOO_LARGE", "RESULT_REJECTED", "INVALID_PARAMS"]).toContain(code);
  }
});

type Build = typeof buildRun | typeof buildPublished;

function judgeBuilt(
  build: Build,
  { params, sent, codes }: {
    params: Record<string, unknown>;
    sent: Record<string, unknown>;
    codes: Set<string>;
  },
): void {
  const admin = { permission: "agent_run:admin", workspaces: null };
  const grant = { admin, creator: null, held: [admin] } as unknown as GrantFacts;
  try {
    const built = build({ params: params as never, sent, grant });
    expect(JSON.stringify(built.event)).toContain("event_type");
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    codes.add(thrown.code);
  }
}
