// The staircase of src/README.md as data: an import goes down along an arrow, or to contract. Fails on
// an upward arrow, on a cycle, on a floor that is missing from the table, and when it finds no files.

import { describe, expect, test } from "vitest";
import { readImports, readTree } from "./source.js";

const arrows: Record<string, readonly string[]> = {
  contract: [],
  sql: [],
  ledger: ["sql"],
  actions: ["ledger"],
  authz: ["actions"],
  dispatch: ["authz", "actions"],
  wire: ["dispatch", "authz", "actions"],
  feed: [],
  reconciler: ["ledger"],
  telemetry: [],
  embedded: [],
  client: [],
  worker: ["client"],
  verify: ["sql"],
  cli: ["client", "main", "config", "dispatch", "actions", "embedded", "sql", "verify"],
  config: [],
  main: [
    "wire", "dispatch", "authz", "actions", "ledger", "sql", "feed", "embedded", "config",
    "reconciler", "telemetry",
  ],
  index: ["main", "config"],
};

/** Arrows that carry types only: what a floor hands to the one below it by argument. */
const typeOnly = ["sql > ledger", "dispatch > ledger"];

const importers: Record<string, readonly string[]> = {
  ws: ["src/wire/server.ts", "src/client/socket.ts"],
  "json-rpc-2.0": ["src/wire/rpc.ts"],
  postgres: ["src/sql/database.ts"],
  pino: ["src/process/log.ts"],
  "prom-client": ["src/telemetry/metrics.ts"],
  "rate-limiter-flexible": ["src/authz/rates.ts"],
  "@opentelemetry/api": ["src/telemetry/traces.ts"],
  "@opentelemetry/sdk-node": ["src/telemetry/tracing.ts"],
};

const zodFloors = ["contract", "actions", "config", "dispatch"];

/** Files that main has put beside itself. */
const rooms: Record<string, string> = {
  config_plugins: "config",
  admin_token: "main",
  limit_rates: "main",
  observe_host: "main",
  offline_ledger: "main",
  open_database: "main",
  open_feed: "main",
  trace_host: "main",
  process: "main",
  hide_secrets: "main",
};

function floorOf(path: string): string {
  const name = path.replace(/^src\//, "").split("/")[0]?.replace(/\.ts$/, "") ?? "";
  return rooms[name] ?? name;
}

const files = readTree("src", /\.ts$/);

describe("floors", () => {
  test("there are files to look at", () => {
    expect(files.length).toBeGreaterThan(50);
  });

  test("every floor stands in the table", () => {
    const floors = new Set(files.map((file) => floorOf(file.path)));
    expect([...floors].filter((floor) => !(floor in arrows))).toEqual([]);
    expect(Object.keys(arrows).filter((floor) => !floors.has(floor))).toEqual([]);
  });

  test("imports go down along an arrow, or to contract", () => {
    const wrong: string[] = [];
    for (const file of files) {
      const from = floorOf(file.path);
      for (const { target, line, types_only } of readImports(file)) {
        if (!target.startsWith("src/")) continue;
        const to = floorOf(target);
        const allowed = to === from || to === "contract" || arrows[from]?.includes(to);
        const typed = types_only && typeOnly.includes(`${from} > ${to}`);
        if (!allowed && !typed) wrong.push(`${file.path}:${line} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("action families do not import each other", () => {
    const wrong: string[] = [];
    for (const file of files.filter(({ path }) => path.startsWith("src/actions/"))) {
      const family = file.path.split("/")[2];
      for (const { target } of readImports(file)) {
        const parts = target.split("/");
        const foreign = target.startsWith("src/actions/") && parts.length > 3
          && parts[2] !== family && file.path.split("/").length > 3;
        if (foreign) wrong.push(`${file.path} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("no file imports itself, however far around", () => {
    const edges = new Map(files.map((file) => [file.path, readImports(file)
      .map(({ target }) => target).filter((target) => target.startsWith("src/"))]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (path: string, trail: string[]): void => {
      if (trail.includes(path)) {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(" > "));
        return;
      }
      if (done.has(path)) return;
      for (const next of edges.get(path) ?? []) walk(next, [...trail, path]);
      done.add(path);
    };
    for (const path of edges.keys()) walk(path, []);
    expect(cycles).toEqual([]);
  });

  test("each third-party package has its importers", () => {
    const wrong: string[] = [];
    for (const file of files) {
      for (const { target, line } of readImports(file)) {
        const only = importers[target];
        if (only && !only.includes(file.path)) wrong.push(`${file.path}:${line} imports ${target}`);
        if (target === "zod" && !zodFloors.includes(floorOf(file.path))) {
          wrong.push(`${file.path}:${line} imports zod`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});
