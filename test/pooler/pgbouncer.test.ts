// The conformance fixtures through PgBouncer in transaction mode, with RUNHOST_PREPARE=false: a share
// of each method's here, all of them with POOLER_ALL=1 (`npm run pooler`). Beside them what a pooler is
// known to break: LISTEN that never hears, and a lock of a session that is another's a moment later.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listFixtures, readWorld } from "../conformance/fixture_files.js";
import { replayFixture } from "../conformance/replay.js";
import { cloneDatabase } from "../support/clone.js";
import { adminToken, registerPlugin, startTestHost, type TestHost } from "../support/host.js";
import { findPgBouncer, startPgBouncer } from "./pgbouncer.js";
import { createDatabase } from "../../src/sql/database.js";

const program = findPgBouncer();
const noProgram = "there is no PgBouncer on this machine";
const share = process.env["POOLER_ALL"] ? 1 : 8;

interface Pooled {
  hosts: TestHost[];
  clone: Awaited<ReturnType<typeof cloneDatabase>>;
}

async function withHosts(count: number, work: (pooled: Pooled) => Promise<void>): Promise<void> {
  const clone = await cloneDatabase();
  const pooler = await startPgBouncer(program!, clone.url);
  const folder = await mkdtemp(join(tmpdir(), "runhost-pooler-"));
  const file = join(folder, "config.json");
  await writeFile(file, JSON.stringify(readWorld("configured").config));
  const environment = {
    RUNHOST_PREPARE: "false", RUNHOST_CONFIG: file, RUNHOST_RECONCILE_SECONDS: "0",
  };
  const hosts: TestHost[] = [];
  try {
    for (let made = 0; made < count; made += 1) {
      hosts.push(await startTestHost({ database_url: pooler.url, environment }));
    }
    await work({ hosts, clone });
  } finally {
    for (const host of hosts) await host.close();
    await pooler.stop();
    await clone.drop();
    await rm(folder, { recursive: true, force: true });
  }
}

test("the fixtures hold behind a pooler", { timeout: 1_200_000 }, async ({ skip }) => {
  skip(program === null, noProgram);
  await withHosts(1, async ({ hosts: [host] }) => {
    const address = { url: host!.host.url, admin_token: adminToken };
    const chosen = listFixtures().filter((_, at) => at % share === 0);
    expect(chosen.length).toBeGreaterThan(100);
    const failed: string[] = [];
    const replay = async ({ name, fixture }: (typeof chosen)[number]): Promise<void> => {
      await replayFixture(address, fixture, () => undefined).catch((cause: Error) =>
        failed.push(`${name}: ${cause.message}`));
    };
    const configured = chosen.filter(({ fixture }) => fixture.needs?.includes("config"));
    for (const file of configured) await replay(file);
    const rest = chosen.filter((file) => !configured.includes(file));
    const workers = Array.from({ length: 6 }, async () => {
      for (let file = rest.pop(); file; file = rest.pop()) await replay(file);
    });
    await Promise.all(workers);
    expect(failed).toEqual([]);
    expect(host!.complaints.filter(({ message }) => message === "incident")).toEqual([]);
  });
});

test("waiters on one host hear of what another host did", { timeout: 60_000 }, async ({ skip }) => {
  skip(program === null, noProgram);
  await withHosts(2, async ({ hosts: [one, other], clone }) => {
    const admin = await one!.connect();
    const plugin = await registerPlugin({ clone, test: one!, admin });
    const elsewhere = await other!.connect(plugin.token);
    const claimed = plugin.client.call("run_claim", {
      runtime_id: plugin.runtime_id, wait_seconds: 30,
    });
    const { run_id } = await elsewhere.call("run_create", { runner_id: plugin.runner_id });
    expect((await claimed).run_id).toBe(run_id);
    const watched = await elsewhere.call("run_subscribe", { target_run_id: run_id });
    const ended = elsewhere.notified(({ method, params }) =>
      method === "run_ended" && params["subscription_id"] === watched.subscription_id);
    await plugin.client.call("run_cancel", { target_run_id: run_id });
    await plugin.client.call("run_emit_result", {
      target_run_id: run_id, runtime_id: plugin.runtime_id, claim_token: (await claimed).claim_token,
      sequence: 1, type: "run.failed", data: { error: "stopped", code: "cancelled" },
    });
    await ended;
  });
});

test("hosts that start and sweep at once do not do one thing twice", { timeout: 60_000 },
  async ({ skip }) => {
    skip(program === null, noProgram);
    await withHosts(3, async ({ hosts, clone }) => {
      const admin = await hosts[0]!.connect();
      const plugin = await registerPlugin({ clone, test: hosts[0]!, admin });
      for (let made = 0; made < 20; made += 1) {
        await plugin.client.call("run_create", { runner_id: plugin.runner_id });
      }
      const params = { runtime_id: plugin.runtime_id, max_runs: 20, lease_seconds: 3600 };
      expect((await plugin.client.call("run_claim", params)).runs.length).toBe(20);
      await clone.sql`update agent_run set claim_lease_expires_at = now() - interval '1 second'`;
      const admins = await Promise.all(hosts.map((host) => host.connect()));
      const reports = await Promise.all(admins.map((one) => one.call("runtime_reconcile", {})));
      const released = reports.reduce((sum, { released_claim_count }) => sum + released_claim_count, 0);
      expect(released).toBe(20);
      const audited = await clone.sql`select from run_audit where action = 'run_requeued'`;
      expect(audited.length).toBe(20);
    });
  });

// PgBouncer hands a server connection on once its client has no Sync open: what the client had sent
// behind that Sync is answered to nobody.
test("no statement follows another on one connection before it is answered", { timeout: 60_000 },
  async ({ skip }) => {
    skip(program === null, noProgram);
    const clone = await cloneDatabase();
    const pooler = await startPgBouncer(program!, clone.url);
    const warned: string[] = [];
    const database = createDatabase({
      url: pooler.url, prepare: false, statement_timeout_ms: 2000, pool_size: 1,
      log: { warn: (_fields, message) => void warned.push(message), debug: () => undefined },
    });
    try {
      for (let round = 0; round < 200; round += 1) {
        const [, rows] = await Promise.all([
          database.ping(),
          database.query("told", (sql) => sql<{ told: number }[]>`select ${round}::int as told`),
        ]);
        expect(rows).toEqual([{ told: round }]);
      }
      expect(warned).toEqual([]);
    } finally {
      await database.close();
      await pooler.stop();
      await clone.drop();
    }
  });
