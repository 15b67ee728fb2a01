// Checks of a database: does it answer, is it of a fit version, how does its schema stand to this
// code, do the clocks agree. Reads only.

import type { Config } from "../../config.js";
import { Refusal } from "../../contract/errors.js";
import { createDatabase, type Database } from "../../sql/database.js";
import { readMigrations } from "../../sql/migrate.js";
import { readSchemaState } from "../../sql/schema_state.js";
import { readServerClock, readServerFacts, type ServerFacts } from "../../sql/server_facts.js";
import { describeThrown, fail, ok, warn, type Finding } from "./finding.js";

const offset_ms_max = 1000;
const clock_samples = 5;

export async function checkDatabase(config: Config, url: string): Promise<Finding[]> {
  const states: unknown[] = [];
  const findings: Finding[] = [];
  let database: Database | null = null;
  try {
    database = createDatabase({
      url,
      prepare: config.prepare,
      statement_timeout_ms: Math.min(config.statement_timeout_ms, 5000),
      close_ms: 0,
      pool_size: 1,
      log: { warn: ({ state }) => void states.push(state), debug: () => undefined },
    });
    const [facts] = await database.query("server_facts", (sql) => readServerFacts(sql));
    findings.push(judgeServer(facts!));
    findings.push(await checkSchema(database));
    findings.push(await checkClock(database));
  } catch (thrown) {
    const state = states.find((found) => found !== undefined);
    const why = `${describeThrown(thrown)}${state === undefined ? "" : ` (${state})`}`;
    const isSilent = thrown instanceof Refusal;
    findings.push(fail("database", why, isSilent
      ? "start the database, or correct the address in DATABASE_URL"
      : "give the user of DATABASE_URL its password, database and rights"));
  } finally {
    await database?.close();
  }
  return findings;
}

function judgeServer({ version, version_number, is_standby }: ServerFacts): Finding {
  const found = `PostgreSQL ${version} answers`;
  if (version_number < 150_000) return fail("database", found, "use PostgreSQL 15 to 18");
  if (is_standby) {
    return fail("database", `${found}, as a standby`, "name the primary server in DATABASE_URL");
  }
  if (version_number >= 190_000) {
    return warn("database", found, "runhost is tested with PostgreSQL 15 to 18");
  }
  return ok("database", found);
}

async function checkSchema(database: Database): Promise<Finding> {
  const schema = await readSchemaState(database, await readMigrations());
  const { state, applied, newest, pending } = schema;
  const found = `version ${applied}, the code has ${newest}`;
  if (state === "newer") return fail("schema", found, "install the runhost that migrated it");
  if (state === "edited") {
    return fail("schema", `${found}, with other migrations`, "use the runhost that applied them");
  }
  if (state === "older") {
    const missing = `${pending.length} to apply`;
    const advice = 'a host applies them when it starts, or run "runhost migrate"';
    return warn("schema", `${found}: ${missing}`, advice);
  }
  return ok("schema", found);
}

/** The sample with the shortest way there and back is the most exact one. */
async function checkClock(database: Database): Promise<Finding> {
  let best = { offset_ms: 0, way_ms: Number.POSITIVE_INFINITY };
  for (let sample = 0; sample < clock_samples; sample += 1) {
    const began_ms = performance.now();
    const [row] = await database.query("server_clock", (sql) => readServerClock(sql));
    const way_ms = performance.now() - began_ms;
    const offset_ms = row!.now_ms - (performance.timeOrigin + began_ms + way_ms / 2);
    if (way_ms < best.way_ms) best = { offset_ms, way_ms };
  }
  const ahead = best.offset_ms > 0 ? "ahead of" : "behind";
  const offset_ms = Math.round(Math.abs(best.offset_ms));
  const exact_ms = Math.ceil(best.way_ms / 2);
  const found = `the database is ${offset_ms} ms ${ahead} this machine (±${exact_ms} ms)`;
  if (offset_ms - exact_ms <= offset_ms_max) return ok("clock", found);
  return warn("clock", found, "let both keep their clocks by NTP; leases follow the database's");
}
