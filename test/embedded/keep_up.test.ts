// A Postgres that dies under a running host: it is started again on its port, the host serves as
// before and has all that it acknowledged; when that cannot be, it is said once.

import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { readConfig } from "../../src/config.js";
import { keepUp, type Kept } from "../../src/embedded/keep_up.js";
import { isAlive } from "../../src/embedded/process_identity.js";
import { startHost } from "../../src/main.js";
import { Client } from "../support/client.js";

const admin_token = "keep-up-admin-token";
const quiet = () => undefined;

async function startEmbedded() {
  const data_dir = mkdtempSync(join(tmpdir(), "runhost-keep-up-"));
  const said: string[] = [];
  const lost: Error[] = [];
  const note = (_fields: unknown, message: string) => void said.push(message);
  let embedded: { pid: number } | undefined;
  const host = await startHost(readConfig({
    RUNHOST_DATA_DIR: data_dir, RUNHOST_PORT: "0", RUNHOST_ADMIN_TOKEN: admin_token,
  }), {
    log: { debug: quiet, info: note, warn: note, error: note },
    postgres_settings: { fsync: "off" },
    onEmbedded: (running) => {
      embedded = running as unknown as { pid: number };
    },
    onLost: (cause) => void lost.push(cause),
  });
  onTestFinished(async () => {
    await host.close();
    rmSync(data_dir, { recursive: true, force: true });
  });
  return { host, data_dir, said, lost, pid: () => embedded!.pid };
}

const runner = { runner_id: "plugin:acme/kept/main", allow_unregistered_runner: true };

test("kill -9 of Postgres, twice: the host serves again, with every acknowledged write",
  { timeout: 120_000 }, async () => {
    const { host, said, lost, pid } = await startEmbedded();
    const admin = await Client.open(host.url, admin_token);
    const acknowledged: string[] = [];
    let struck = 0;
    for (let n = 0; acknowledged.length < 90; n += 1) {
      const answer = await admin.ask("run_create", { ...runner, run_id: `run_${n}` });
      // Whatever happens to the database, the answer is one of these two, and there is one.
      expect([undefined, "UNAVAILABLE"]).toContain(answer.error?.data.code);
      if (!answer.error) acknowledged.push(`run_${n}`);
      else await new Promise((resolve) => setTimeout(resolve, 50));
      if (struck < 2 && acknowledged.length === (struck + 1) * 30) {
        struck += 1;
        const before = pid();
        process.kill(before, "SIGKILL");
        await vi.waitUntil(() => pid() !== before, { timeout: 60_000 });
        expect(isAlive(pid())).toBe(true);
      }
    }
    for (const run_id of acknowledged) {
      expect((await admin.call("run_get", { target_run_id: run_id })).status).toBe("queued");
    }
    await expect.poll(async () => (await fetch(`${host.httpUrl}/readyz`)).status).toBe(200);
    expect(said.filter((line) => line.includes("ended unexpectedly"))).toHaveLength(2);
    expect(lost).toEqual([]);
    await admin.close();
  });

test("data that are gone are not replaced by an empty database; it is told once",
  { timeout: 120_000 }, async () => {
    const { host, data_dir, lost, pid } = await startEmbedded();
    const data = join(data_dir, "postgres", "data");
    renameSync(data, `${data}.away`);
    process.kill(pid(), "SIGKILL");
    await vi.waitUntil(() => lost.length > 0, { timeout: 60_000 });
    expect(lost.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Postgres ended and did not come back: The data .* are gone from /),
    ]);
    const admin = await Client.open(host.url, admin_token);
    expect(await admin.refusal("run_create", runner)).toMatchObject({ code: "UNAVAILABLE" });
    await admin.close();
    renameSync(`${data}.away`, data);
  });

describe("tries", () => {
  interface Hand extends Kept {
    die(): void;
  }
  const makeServer = (pid: number): Hand => {
    let listener: ((how: string) => void) | null = null;
    return {
      pid,
      onCrash(report) {
        listener = report;
        return () => void (listener = null);
      },
      die() {
        const told = listener;
        listener = null;
        told?.("SIGKILL");
      },
    };
  };
  const start = (again: () => Promise<Hand>, lasting_ms?: number) => {
    const first = makeServer(1);
    const seen = { lost: [] as string[], ended: [] as number[], stopped: [] as number[] };
    const kept = keepUp<Hand>({
      first, again, pauses_ms: [0, 1, 1], ...(lasting_ms === undefined ? {} : { lasting_ms }),
      stop: async ({ pid }) => void seen.stopped.push(pid),
      onEnd: ({ pid }) => void seen.ended.push(pid),
      onLost: ({ message }) => void seen.lost.push(message),
    });
    return { first, kept, seen };
  };

  test("are counted: a start that fails, and a server that dies soon", async () => {
    const made: Hand[] = [];
    let calls = 0;
    const { first, seen } = start(async () => {
      calls += 1;
      if (calls === 1) throw new Error("no room");
      made.push(makeServer(calls));
      return made.at(-1)!;
    });
    first.die();
    await vi.waitUntil(() => made.length === 1);
    await vi.waitUntil(() => (made[0]!.die(), made.length === 2));
    await vi.waitUntil(() => (made[1]!.die(), seen.lost.length === 1));
    expect(calls).toBe(3);
    expect(seen.ended).toEqual([1, 2, 3]);
    expect(seen.lost).toEqual(["Postgres ended and did not come back: it ended again and again"]);
  });

  test("begin anew after a server that lasted", async () => {
    const made: Hand[] = [];
    const { first, kept, seen } = start(async () => {
      made.push(makeServer(made.length + 2));
      return made.at(-1)!;
    }, 0);
    first.die();
    for (let n = 1; n < 10; n += 1) {
      await vi.waitUntil(() => made.length === n && kept.pid === n + 1);
      await new Promise((resolve) => setTimeout(resolve, 2));
      made[n - 1]!.die();
    }
    await vi.waitUntil(() => made.length === 10 && kept.pid === 11);
    expect(seen.lost).toEqual([]);
    await kept.stop();
    expect(seen.stopped).toEqual([11]);
  });

  test("end with a stop, which takes along what was just coming up", async () => {
    let bring!: (server: Hand) => void;
    const coming = new Promise<Hand>((resolve) => (bring = resolve));
    const { first, kept, seen } = start(() => coming);
    first.die();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const stopping = kept.stop();
    bring(makeServer(2));
    await stopping;
    expect(seen.stopped).toEqual([2]);
  });
});
