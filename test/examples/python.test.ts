// examples/python/worker.py as a user runs it, against a real host: the worker through a line that can
// be cut, and the fixtures by its own replayer. Where Python is absent it says so and judges nothing.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openReplayHost, type ReplayHost } from "../conformance/replay_host.js";
import { Relay, type Json } from "../strangers/relay.js";
import { fresh, useHost } from "../support/host.js";

const file = fileURLToPath(new URL("../../examples/python/worker.py", import.meta.url));
const protocol = fileURLToPath(new URL("../../protocol", import.meta.url));

const runsHere = (code: string) => spawnSync("python3", ["-c", code]).status === 0;
const hasPython = runsHere("import sys; sys.exit(sys.version_info < (3, 9))");
const hasLibrary = hasPython && runsHere("import websockets");
if (!hasPython) console.log("left out: python3, 3.9 or later, is not installed");
else if (!hasLibrary) console.log("left out: the worker over python3-websockets, not installed");

function start(args: string[], environment: Record<string, string>) {
  const { PATH = "", PYTHONPATH = "" } = process.env;
  const env = { PATH, PYTHONPATH, PYTHONDONTWRITEBYTECODE: "1", ...environment };
  const child = spawn("python3", [file, ...args], { env });
  let out = "";
  let hear = (): void => undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => {
      out += data.toString();
      hear();
    });
  }
  const ended = once(child, "close").then(([code]) => ({ code: code as number, out }));
  const said = (words: string) =>
    new Promise<void>((resolve, reject) => {
      hear = () => out.includes(words) && resolve();
      hear();
      void ended.then(() => reject(new Error(`it ended without "${words}":\n${out}`)));
    });
  return { child, ended, said };
}

const sockets = [["PlainSocket", ["--plain-socket"]]] as [string, string[]][];
if (hasLibrary) sockets.push(["LibrarySocket", []]);

describe.runIf(hasPython).each(sockets)("the worker over its %s", (socket, kind) => {
  const world = useHost();
  let relay: Relay;
  let identity = "";
  let token = "";
  let runner_id = "";
  let worker: ReturnType<typeof start> | undefined;

  beforeEach(async () => {
    identity = `acme/${fresh("python")}`;
    runner_id = `plugin:${identity}/word_count`;
    ({ token } = await world().admin.call("plugin_register", {
      plugin_identity: identity, permissions: [],
    }));
    relay = await Relay.start(world().test.host.url);
  });
  afterEach(async () => {
    if (worker && isRunning(worker.child)) {
      worker.child.kill("SIGKILL");
      await worker.ended;
    }
    await relay.close();
    expect(world().test.complaints.filter(({ message }) => message === "incident")).toEqual([]);
  });

  async function startWorker(...args: string[]) {
    worker = start([...kind, ...args], { RUNHOST_URL: relay.url, RUNHOST_TOKEN: token });
    await worker.said(`over ${socket}`);
    return worker;
  }
  const create = (text: unknown, more: Json = {}): Promise<Json> =>
    world().admin.call("run_create", { runner_id, input: { text }, ...more });
  const slow = (seconds_per_line: number) => ({ runner_config: { seconds_per_line } });
  const end = ({ run_id }: Json) =>
    world().admin.call("run_wait", { target_run_id: run_id, wait_seconds: 60 });
  async function eventsOf({ run_id }: Json): Promise<Json[]> {
    return (await world().admin.call("run_events_page", { target_run_id: run_id })).items;
  }
  const stored = (sequence: number) =>
    relay.seen(({ from, frame }) => from === "host" && frame.result?.sequence === sequence);

  test("counts words, several runs at once", async () => {
    await startWorker("--concurrency", "2");
    const runs = await Promise.all(
      ["one two\nÜber über ÜBER", "", "a\nb\nc"].map((text) => create(text)),
    );
    const ends = await Promise.all(runs.map(end));
    expect(ends.map(({ status, status_reason }) => [status, status_reason])).toEqual(
      Array.from({ length: 3 }, () => ["completed", "stop"]),
    );
    expect((await eventsOf(runs[0])).map(({ sequence, type, data }) => [
      sequence, type, (data.chunk ?? data.message)?.content,
    ])).toEqual([
      [1, "message.delta", "line 1: 2 words\n"],
      [2, "message.delta", "line 2: 3 words\n"],
      [3, "message.completed", "5 words: über (3), one (1), two (1)"],
      [4, "run.completed", undefined],
    ]);
    const [runtime] = (await world().admin.call("runtime_list", {})).items;
    expect(runtime).toMatchObject({ status: "online", display_name: "Python example" });
    const [runner] = (await world().admin.call("runner_list", { include_plugins: [identity] })).items;
    expect(runner).toMatchObject({ id: runner_id, label: { en: "Word count" } });
  });

  test("repeats an event whose answer was lost, with the same sequence", async () => {
    let asked: unknown;
    relay.cutWhen(({ from, line, frame }) => {
      if (line === 1 && frame.params?.sequence === 2) asked = frame.id;
      return line === 1 && from === "host" && asked !== undefined && frame.id === asked
        ? "cut"
        : "pass";
    });
    await startWorker();
    const run = await create("one\ntwo\nthree");
    expect(await end(run)).toMatchObject({ status: "completed", claim_epoch: 1 });
    expect((await eventsOf(run)).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    const [first, again, ...others] = relay.sent("run_emit_result")
      .filter(({ params }) => params.sequence === 2);
    expect(again.params).toEqual(first.params);
    expect(others).toEqual([]);
    const repeated = relay.frames.find(({ line, from, frame }) =>
      line === 2 && from === "host" && frame.id === again.id);
    expect(repeated?.frame.result).toMatchObject({ sequence: 2, idempotent: true });
    expect(relay.sent("plugin_connect")).toHaveLength(2);
  });

  test("keeps a lease that is shorter than the run, and the heartbeat beside it", async () => {
    await startWorker("--lease-seconds", "2");
    const run = await create("one\ntwo\nthree", slow(1));
    expect(await end(run)).toMatchObject({ status: "completed", claim_epoch: 1 });
    expect(relay.sent("run_renew_claim").length).toBeGreaterThanOrEqual(3);
    expect(relay.sent("run_renew_claim")[0].params).toMatchObject({ lease_seconds: 2 });
  });

  test("ends a run that is cancelled while it works on it", async () => {
    await startWorker();
    const run = await create("one\ntwo", slow(600));
    await stored(1);
    await world().admin.call("run_cancel", { target_run_id: run.run_id, reason: "changed my mind" });
    expect(await end(run)).toMatchObject({ status: "cancelled", cancel_reason: "changed my mind" });
    expect(relay.sent("run_finalize")).toHaveLength(1);
    const next = await create("still there");
    expect(await end(next)).toMatchObject({ status: "completed" });
  });

  test("takes in what is added while it works, and confirms it", async () => {
    await startWorker();
    const run = await create("one", { conversation_id: "talk", ...slow(1) });
    await stored(1);
    const { disposition } = await world().admin.call("event_publish", {
      conversation_id: "talk", text: "two more",
    });
    expect(disposition).toBe("absorbed");
    expect(await end(run)).toMatchObject({ status: "completed" });
    const said = (await eventsOf(run)).find(({ type }) => type === "message.completed");
    expect(said.data.message.content).toBe("3 words: one (1), two (1), more (1)");
    const acked = relay.sent("steering_ack").map(({ params }) => params.steering_ids.length);
    expect(acked).toEqual([1]);
  });

  test("a request that is wrong in itself fails once and is not tried again", async () => {
    await startWorker();
    expect(await end(await create(null))).toMatchObject({
      status: "failed", status_reason: "input.text has to be a string", dispatch_attempts: 1,
    });
  });

  test("SIGTERM: what ends in time is finished, the rest is handed back, nothing is left", async () => {
    const { child, ended } = await startWorker("--drain-seconds", "4", "--concurrency", "3");
    const short = await create("one\ntwo\nthree", slow(1));
    const long = await create("one\ntwo", slow(600));
    await Promise.all([short, long].map(({ run_id }) =>
      relay.seen(({ from, frame }) => from === "host" && frame.result?.run_id === run_id
        && frame.result.sequence === 1)));
    child.kill("SIGTERM");
    await relay.seen(({ frame }) => frame.params?.status === "draining");
    const late = await create("too late");
    const { code, out } = await ended;
    expect(out).toContain("worker: stopped");
    expect(code).toBe(0);
    const now = (run: Json) => world().admin.call("run_get", { target_run_id: run.run_id });
    expect(await now(short)).toMatchObject({ status: "completed" });
    expect(await now(long)).toMatchObject({ status: "queued", status_reason: "worker stops" });
    expect(await now(late)).toMatchObject({ status: "queued", dispatch_attempts: 0 });
    const runtimes = await world().admin.call("runtime_list", { statuses: ["online", "draining"] });
    expect(runtimes.items.filter((one: Json) => one.plugin_identity === identity)).toEqual([]);
    // Another worker goes on behind what the first one stored.
    await startWorker();
    await world().admin.call("run_cancel", { target_run_id: long.run_id });
    expect(await end(late)).toMatchObject({ status: "completed" });
  }, 60_000);

  test("a token that is not accepted ends it, and is not tried again", async () => {
    const { ended } = start(kind, { RUNHOST_URL: relay.url, RUNHOST_TOKEN: "rh_nobody_0123" });
    const { code, out } = await ended;
    expect(out).toMatch(/^worker: UNAUTHENTICATED: .+\n$/);
    expect(code).toBe(1);
    expect(relay.upgrades).toHaveLength(1);
  });
});

describe.runIf(hasPython)("--replay", () => {
  let host: ReplayHost;
  let folder = "";

  beforeAll(async () => {
    host = await openReplayHost();
    folder = await mkdtemp(join(tmpdir(), "runhost-python-"));
  });
  afterAll(async () => {
    await host.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const replay = (args: string[], environment: Record<string, string> = {}) =>
    start(["--replay", ...args], {
      HOST_URL: host.address.url, HOST_ADMIN_TOKEN: host.address.admin_token, ...environment,
    }).ended;

  // All of them take over a minute: PYTHON_REPLAY_ALL=1.
  test("the fixtures pass", { timeout: 240_000 }, async () => {
    const has = { HOST_HAS_CONFIG: "1", HOST_SWEEPS_BY_HAND: "1" };
    const chosen = process.env["PYTHON_REPLAY_ALL"] ? [] : ["--only", "run_c"];
    const { code, out } = await replay([protocol, "--at-once", "16", ...chosen], has);
    expect(out).toMatch(/^\d{2,} passed, 0 failed, 0 left out\n$/);
    expect(code).toBe(0);
  });

  test("what a host does not have is left out and named", async () => {
    const { out } = await replay([protocol, "--only", "runtime_reconcile/many_at_once"]);
    expect(out).toBe(
      "left out: runtime_reconcile/many_at_once needs manual_sweeps\n" +
        "0 passed, 0 failed, 1 left out\n",
    );
  });

  test.each([
    ["a wrong result", { ok: false }, "answer.result.ok: is true, not false"],
    ["a member too many", { $exact: { ok: true } }, "answer.result: does not match"],
    ["a true that should be 1", { ok: 1 }, "answer.result.ok: is true, not 1"],
    ["another type", { time: { $type: "string" } }, "answer.result.time: does not match"],
    ["a number out of its bounds", { time: { $between: [0, 1] } }, "does not match"],
    ["a pattern that is not found", { ok: { $match: "t" } }, "does not match"],
    ["a member that should not be there", { ok: { $absent: true } }, "does not match"],
    ["what must not be", { ok: { $not: true } }, "does not match"],
  ])("a fixture that asks for %s fails, and says where", async (_what, result, words) => {
    for (const part of ["fixtures/ping", "worlds"]) {
      await cp(join(protocol, part), join(folder, part), { recursive: true });
    }
    const steps = [{ send: { method: "ping" }, expect: { result } }];
    const planted = { title: "x", why: "x", world: "empty", as: "admin", steps };
    await writeFile(join(folder, "fixtures/ping/planted.json"), JSON.stringify(planted));
    const { code, out } = await replay([folder, "--only", "planted"]);
    expect(out).toContain("failed: ping/planted: step 1: ");
    expect(out).toContain(words);
    expect(out).toContain("0 passed, 1 failed, 0 left out\n");
    expect(code).toBe(1);
  });
});

test("the file stands alone: it imports the standard library, and websockets where it is", async () => {
  const text = await readFile(file, "utf8");
  const imported = [...text.matchAll(/^\s*(?:import|from) (\w+)/gm)].map(([, name]) => name);
  expect(new Set(imported)).toEqual(new Set([
    "argparse", "asyncio", "base64", "collections", "hashlib", "json", "os", "pathlib", "random",
    "re", "signal", "socket", "ssl", "struct", "sys", "time", "urllib", "uuid", "websockets",
  ]));
});

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
