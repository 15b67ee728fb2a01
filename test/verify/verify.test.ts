// `runhost verify` over a ledger that is sound, and over copies into which each kind of breach is
// planted: it has to name the invariant and the row. What the rows show and what the journals show
// are planted apart.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Finding } from "../../src/verify/finding.js";
import { storedClaims } from "../../src/sql/invariants.js";
import { type } from "../cli/terminal.js";
import { startTestHost } from "../support/host.js";
import { cloneDatabase } from "../support/clone.js";
import { liveOnce, withCopy, writeJournal, type Lived } from "./lived_ledger.js";

let folder = "";
let database: Awaited<ReturnType<typeof cloneDatabase>>;
let lived: Lived;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runhost-verify-"));
  database = await cloneDatabase();
  const { url } = database;
  const test = await startTestHost({ database_url: url, environment: { RUNHOST_RECONCILE_SECONDS: "0" } });
  lived = await liveOnce({ clone: database, test, admin: await test.connect() });
  await test.close();
  // A database is copied only while nobody is connected to it.
  await database.sql.end({ timeout: 5 });
});
afterAll(async () => {
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

interface Verdict {
  code: number | null;
  stderr: string;
  findings: Finding[];
  /** [invariant, breach] of all that was found. */
  found: string[][];
}

async function verify(url: string, files: string[] = []): Promise<Verdict> {
  const argv = ["verify", "--json", ...(files.length > 0 ? ["--journal", ...files] : [])];
  const { code, stdout, stderr } = await type(argv, {
    environment: { DATABASE_URL: url, RUNHOST_DATA_DIR: join(folder, "data") }, cwd: folder,
  });
  const printed = JSON.parse(stdout);
  const findings: Finding[] = printed.findings ?? printed.data?.findings ?? [];
  const found = findings.flatMap(({ invariant, found: kinds }) =>
    kinds.map(({ breach }) => [invariant, breach]));
  return { code, stderr, findings, found };
}

let files = 0;
const journalOf = (lines: readonly object[]): string => {
  files += 1;
  return writeJournal(join(folder, `journal-${files}.ndjson`), lines);
};

describe("a sound ledger", () => {
  test("holds every promise, with and without its journal", async () => {
    await withCopy(database.url, async ({ url }) => {
      const alone = await verify(url);
      expect(alone).toMatchObject({ code: 0, stderr: "", found: [] });
      const { code, findings, found } = await verify(url, [journalOf(lived.journal.lines)]);
      expect([code, found, alone.stderr]).toEqual([0, [], ""]);
      for (const { invariant, checked } of findings) expect([invariant, checked > 0]).toEqual([invariant, true]);
    });
  });

  test("is told in words, one line a promise", async () => {
    await withCopy(database.url, async ({ url }) => {
      const seen = await type(["verify"], { environment: { DATABASE_URL: url }, cwd: folder });
      expect(seen).toMatchObject({ code: 0, stderr: "" });
      const lines = seen.stdout.trimEnd().split("\n");
      expect(lines.slice(1).map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual(
        ["I1", "I2", "I3", "I4", "I6", "I8"].map((invariant) => ["ok", invariant]));
    });
  });
});

/** Each plants what its claim forbids; names the words of the breach, and the run it is about. */
const planted: [invariant: string, words: string, plant: (sql: postgres.Sql) => Promise<unknown>][] = [
  ["I1", "last_sequence is not", (sql) =>
    sql`delete from agent_run_event where run_id = ${lived.finalized} and sequence = 4`],
  ["I1", "events without their run", (sql) => sql`delete from agent_run where run_id = ${lived.held}`],
  ["I1", "without its stored request", (sql) =>
    sql`delete from agent_run_request where run_id = ${lived.held}`],
  ["I1", "without its transcript item", (sql) =>
    sql`delete from transcript where run_id = ${lived.talked} and origin = 'result'`],
  ["I2", "stands after one of a newer", (sql) => sql`update agent_run_event
    set claim_epoch = 3 - claim_epoch where run_id = ${lived.held}`],
  ["I2", "never had", (sql) => sql`update agent_run_event set claim_epoch = 7
    where run_id = ${lived.held} and sequence = 2`],
  ["I2", "a lease without a whole claim", (sql) => sql`update agent_run set claim_epoch = 1
    where run_id = ${lived.held}`],
  ["I3", "stands after the run.completed", (sql) => sql`with late as (
      insert into agent_run_event (tenant_id, run_id, sequence, type, data, source, written_by,
        fingerprint, bytes)
      select tenant_id, run_id, 3, 'tool.call.started', '{}', source, written_by, fingerprint, 2
      from agent_run_event where run_id = ${lived.talked} and sequence = 2 returning run_id)
    update agent_run set last_sequence = 3 where run_id in (select run_id from late)`],
  ["I3", "has another status", (sql) => sql`update agent_run set status = 'failed'
    where run_id = ${lived.talked}`],
  ["I3", "a finish time without an end", (sql) => sql`update agent_run set finished_at = null
    where run_id = ${lived.talked}`],
  ["I4", "is not the one that was accepted", (sql) => sql`update agent_run_event
    set data = data || '{"tool_name": "other"}' where run_id = ${lived.finalized} and sequence = 1`],
  ["I8", "without its steering message", (sql) => sql`delete from agent_run_steering
    where run_id = ${lived.talked}`],
  ["I8", "is still waiting", (sql) => sql`update agent_run_steering set state = 'queued'
    where run_id = ${lived.talked}`],
  ["I8", "no executor was ever given", (sql) => sql`update agent_run_steering set delivery_count = 0
    where run_id = ${lived.talked}`],
  ["I8", "without a trace", (sql) => sql`delete from event_log
    where event_type = 'steering.redispatched' and run_id = ${lived.followed}`],
  ["I8", "into a run that is not there", (sql) => sql`update agent_run_steering
    set redispatched_run_id = 'run_gone' where run_id = ${lived.followed}`],
];

describe("a breach in the rows", () => {
  test("every claim has a plant", () => {
    const unplanted = storedClaims.filter(({ breach }) =>
      !planted.some(([, words]) => breach.includes(words)));
    expect(unplanted.map(({ breach }) => breach)).toEqual([]);
  });

  test.each(planted)("%s: %s", async (invariant, words, plant) => {
    await withCopy(database.url, async ({ url, sql }) => {
      await dropConstraints(sql);
      await plant(sql);
      const { code, stderr, found, findings } = await verify(url);
      expect(found).toContainEqual([invariant, expect.stringContaining(words)]);
      expect(code).toBe(1);
      expect(stderr).toContain(`runhost: broken: `);
      expect(stderr).toContain(invariant);
      const rows = findings.flatMap(({ found: kinds }) => kinds)
        .find(({ breach }) => breach.includes(words))!.rows;
      const about = [lived.finalized, lived.talked, lived.followed, lived.held];
      expect(about).toContain(rows[0]!["run_id"]);
    });
  });
});

/** The schema forbids some breaches; a copy that was tampered with does not. */
async function dropConstraints(sql: postgres.Sql): Promise<void> {
  const checks = await sql<{ name: string; table: string }[]>`
    select conname as name, conrelid::regclass::text as table from pg_constraint
    where contype = 'c' and conrelid in ('agent_run'::regclass, 'agent_run_steering'::regclass)`;
  for (const { name, table } of checks) {
    await sql`alter table ${sql(table)} drop constraint ${sql(name)}`;
  }
}

type Line = Record<string, any>;
const isEvent = (line: Line): boolean => /append|emit/.test(line["method"] ?? "");
const copyOf = (): Line[] => structuredClone(lived.journal.lines);
const first = (lines: Line[], fits: (line: Line) => boolean): Line => lines.find(fits)!;

/** Each makes a journal claim what the ledger does not hold. */
const contradicted: [invariant: string, words: string, alter: (lines: Line[]) => void][] = [
  ["I1", "an event that was acknowledged", (lines) => {
    const line = first(lines, isEvent);
    line["result"].sequence = 99;
  }],
  ["I1", "a run that was acknowledged", (lines) => {
    first(lines, ({ method }) => method === "run_create")["result"].run_id = "run_lost";
  }],
  ["I1", "a cancel that was acknowledged", (lines) => {
    const params = { target_run_id: lived.held };
    lines.push({ method: "run_cancel", params, sent_at_ms: 1, answered_at_ms: 2, result: {} });
  }],
  ["I1", "a published event is not", (lines) => {
    first(lines, ({ method }) => method === "event_publish")["result"].event_id = "evt_lost";
  }],
  ["I2", "given to two claims", (lines) => {
    lines.push(first(lines, ({ method }) => method === "run_claim"));
  }],
  ["I2", "a claim that was acknowledged", (lines) => {
    first(lines, ({ method }) => method === "run_claim")["result"].claim_epoch = 5;
  }],
  ["I2", "sent after the next was", (lines) => {
    first(lines, ({ result, params }) => params?.target_run_id === lived.held
      && result?.sequence === 1)["sent_at_ms"] += 3_600_000;
  }],
  ["I3", "two ends of one run", (lines) => {
    const line = structuredClone(first(lines, ({ method }) => method === "run_finalize"));
    lines.push({ ...line, result: { ...line["result"], status: "failed" } });
  }],
  ["I3", "another end than", (lines) => {
    first(lines, ({ method }) => method === "run_finalize")["result"].status = "failed";
  }],
  ["I3", "stored after an acknowledged end", (lines) => {
    first(lines, ({ method }) => method === "run_finalize")["result"].last_sequence = 2;
  }],
  ["I3", "sent after the end was answered", (lines) => {
    first(lines, isEvent)["sent_at_ms"] += 3_600_000;
  }],
  ["I4", "holds other content", (lines) => {
    first(lines, isEvent)["params"].data.tool_name = "other";
  }],
  ["I4", "two writes of one sequence", (lines) => {
    const line = structuredClone(first(lines, isEvent));
    line["params"].data.tool_name = "other";
    lines.push(line);
  }],
  ["I6", "given twice", (lines) => {
    const at = lines.findIndex(({ reader, sequence }) => reader && sequence === 2);
    lines.splice(at, 0, lines[at]!);
  }],
  ["I6", "left out", (lines) => {
    lines.splice(lines.findIndex(({ reader, sequence }) => reader && sequence === 2), 1);
  }],
  ["I6", "not in the ledger", (lines) => {
    first(lines, ({ reader, sequence }) => reader && sequence === 2)["sequence"] = 3;
  }],
  ["I6", "the end was told before", (lines) => {
    lines.splice(lines.findIndex(({ reader, sequence }) => reader && sequence === 4), 1);
  }],
  ["I8", "is not injected", (lines) => {
    first(lines, ({ method }) => method === "steering_ack")["result"].acked = ["steer_lost"];
  }],
];

describe("a journal that the ledger contradicts", () => {
  test.each(contradicted)("%s: %s", async (invariant, words, alter) => {
    await withCopy(database.url, async ({ url }) => {
      const lines = copyOf();
      alter(lines);
      const { code, found } = await verify(url, [journalOf(lines)]);
      expect(found).toContainEqual([invariant, expect.stringContaining(words)]);
      expect(code).toBe(1);
    });
  });

  test("a reader that resumes reads on from where it says", async () => {
    await withCopy(database.url, async ({ url }) => {
      const again = [{ reader: "r2", run_id: lived.finalized, after: 2 },
        { reader: "r2", run_id: lived.finalized, sequence: 4 },
        { reader: "r2", run_id: lived.finalized, after: 4 },
        { reader: "r2", run_id: lived.finalized, ended: true }];
      expect((await verify(url, [journalOf(again)])).found).toEqual([]);
    });
  });
});

describe("what cannot be judged", () => {
  const refused = async (text: string, expected: string) => {
    files += 1;
    const file = join(folder, `bad-${files}.ndjson`);
      await writeFile(file, text);
    await withCopy(database.url, async ({ url }) => {
      const { code, stderr } = await verify(url, [file]);
      expect(stderr).toBe(`runhost: --journal: ${file}:${expected}\n`);
      expect(code).toBe(2);
    });
  };

  test("a line that is no JSON, unless it is the last", async () => {
    await refused('{"method":\n{"reader":"r","run_id":"x","after":0}\n', "1: is not JSON");
    await withCopy(database.url, async ({ url }) => {
      const cut = journalOf([]);
          await writeFile(cut, '{"reader":"r","run_id":"x","after":0}\n{"method":"run_cr');
      expect((await verify(url, [cut])).code).toBe(0);
    });
  });

  test.each([
    ["[]", "1: is no object"],
    ['{"at":1}', "1: has neither method nor reader"],
    ['{"method":"run_create","sent_at_ms":1}', "1: params: must be an object"],
    ['{"method":"run_create","params":{}}', "1: sent_at_ms: must be a number"],
    ['{"method":"m","params":{},"sent_at_ms":1,"result":{}}', "1: answered_at_ms: must be a number"],
    ['{"method":"m","params":{},"sent_at_ms":1,"answered_at_ms":1,"error":{}}',
      "1: error.code: must be a string"],
    ['{"reader":"r","after":0}', "1: run_id: must be a string"],
    ['{"reader":"r","run_id":"x"}', "1: must have one of after, sequence and ended"],
    ['{"reader":"r","run_id":"x","sequence":-1}', "1: must name a sequence"],
    ['{"tenant_id":5,"method":"m"}', "1: tenant_id: must be a string"],
  ])("%s is refused by name", (text, expected) => refused(text, expected));

  test("a file that is not there, a count out of range, a database that is not there", async () => {
    const environment = { DATABASE_URL: database.url };
    const missing = await type(["verify", "--journal", "/no/such/file"], { environment });
    expect([missing.code, missing.stderr]).toEqual(
      [2, "runhost: --journal: /no/such/file cannot be read (ENOENT)\n"]);
    const many = await type(["verify", "--rows", "0"], { environment });
    expect([many.code, many.stderr]).toEqual(
      [2, "runhost: --rows: must be a whole number from 1 to 1000\n"]);
    const none = await type(["verify"], { environment: { RUNHOST_DATA_DIR: join(folder, "none") } });
    expect([none.code, none.stderr]).toEqual(
      [1, `runhost: there is no database in ${join(folder, "none")}\n`]);
  });
});
