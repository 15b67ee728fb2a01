// `runhost runs tail`: events as they come, the end as exit code, Ctrl-C, a host that goes away.

import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { adminToken, claimOf, fresh, registerPlugin, startTestHost, useHost } from "../support/host.js";
import type { Answer, Params } from "../support/client.js";
import { start, typeInside, type Seen } from "./terminal.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });
const environment = (token = adminToken) =>
  ({ RUNHOST_URL: world().test.host.url, RUNHOST_TOKEN: token });

const tail = (argv: string[], token = adminToken): Promise<Seen> =>
  typeInside(["runs", "tail", ...argv], environment(token));

async function claimed() {
  const plugin = await registerPlugin(world(), { permissions: [] });
  const queue_name = fresh("queue");
  const { run_id } = await world().admin.call("run_create", {
    runner_id: plugin.runner_id, queue_name, run_id: fresh("run"), conversation_id: "c",
  });
  const item = await plugin.client.call("run_claim", {
    runtime_id: plugin.runtime_id, queue_name, lease_seconds: 300,
  });
  let sequence = 0;
  const emit = (type_: string, data: Params): Promise<Answer> =>
    plugin.client.call("run_emit_result", {
      target_run_id: run_id, ...claimOf(item), sequence: (sequence += 1), type: type_, data,
    });
  const end = (status: string) => plugin.client.call("run_finalize", {
    target_run_id: run_id, status, status_reason: "as told", ...claimOf(item),
  });
  return { plugin, run_id, emit, end };
}

const delta = (content: string) => ({ chunk: { role: "assistant", content } });

/** Keeps what a stream says; `until` waits for a text in it. */
function listen(stream: NodeJS.ReadableStream) {
  let said = "";
  let hear = (): void => undefined;
  const ended = once(stream, "end").then(() => said);
  stream.on("data", (chunk) => {
    said += String(chunk);
    hear();
  });
  return {
    all: ended,
    until: (wanted: string) => new Promise<void>((resolve, reject) => {
      hear = () => {
        if (said.includes(wanted)) resolve();
      };
      hear();
      void ended.then(() => reject(new Error(`the output ended without ${wanted}: ${said}`)));
    }),
  };
}

test("prints what was, then what comes, and ends with the run", async () => {
  const { run_id, emit, end } = await claimed();
  await emit("message.delta", delta("Hello,\nworld\u001b[2J"));
  const child = start(["runs", "tail", run_id], { environment: environment() });
  const out = listen(child.stdout);
  await out.until("Hello,");
  await emit("tool.call.started", { tool_call_id: "t1", tool_name: "search" });
  await end("completed");
  const [code] = await once(child, "close");
  expect(code).toBe(0);
  const [first, second, last, ...rest] = (await out.all).split("\n");
  expect(first).toMatch(/^\d\d:\d\d:\d\d {4}1 {2}message\.delta {8}Hello, world\?\[2J$/);
  expect(second).toMatch(/^\d\d:\d\d:\d\d {4}2 {2}tool\.call\.started {4}search \(t1\)$/);
  expect([last, ...rest]).toEqual([`${run_id} completed: as told`, ""]);
});

test("with --json a line is an event, the last one the run; --after leaves out what was seen", async () => {
  const { plugin, run_id, emit, end } = await claimed();
  await emit("message.delta", delta("one"));
  await emit("message.delta", delta("two"));
  await end("completed");
  const seen = await tail([run_id, "--json"], plugin.token);
  expect(seen).toMatchObject({ code: 0, stderr: "" });
  const said = seen.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  expect(said).toMatchObject([
    { event: { sequence: 1, type: "message.delta", data: delta("one") } },
    { event: { sequence: 2 } }, { run: { run_id, status: "completed" } },
  ]);
  const later = await tail([run_id, "--json", "--after", "1"]);
  expect(later.stdout.trimEnd().split("\n").map((line) => Object.keys(JSON.parse(line))[0]))
    .toEqual(["event", "run"]);
});

test.each([["failed", 5], ["cancelled", 6], ["timeout", 7]])(
  "a run that ended %s is exit code %i", async (status, code) => {
    const { run_id, end } = await claimed();
    await end(status);
    expect(await tail([run_id])).toEqual({
      code, stderr: "", stdout: `${run_id} ${status}: as told\n`,
    });
  },
);

test("Ctrl-C stops it cleanly and says how to go on; the run goes on", async () => {
  const { run_id, emit } = await claimed();
  await emit("message.delta", delta("first"));
  const child = start(["runs", "tail", run_id], { environment: environment() });
  const [out, err] = [listen(child.stdout), listen(child.stderr)];
  await out.until("first");
  child.kill("SIGINT");
  const [code, signal] = await once(child, "close");
  expect({ code, signal }).toEqual({ code: 130, signal: null });
  expect(await err.all).toBe('Stopped; "--after 1" goes on from here.\n');
  expect((await out.all).trimEnd().split("\n")).toHaveLength(1);
  expect(await world().admin.call("run_get", { target_run_id: run_id }))
    .toMatchObject({ status: "claimed", cancel_requested_at: null });
});

test("a host that comes back is followed from where it was left", async () => {
  const { run_id, emit, end } = await claimed();
  const database_url = world().clone.url;
  const port = await freePort();
  const open = () => startTestHost({ database_url, environment: { RUNHOST_PORT: port } });
  let second = await open();
  await emit("message.delta", delta("before"));
  const child = start(["runs", "tail", run_id], {
    environment: { ...environment(), RUNHOST_URL: second.host.url },
  });
  const [out, err] = [listen(child.stdout), listen(child.stderr)];
  await out.until("before");
  await second.close();
  await err.until("The connection is lost; trying again.");
  await emit("message.delta", delta("meanwhile"));
  second = await open();
  await end("completed");
  const [code] = await once(child, "close");
  await second.close();
  expect(code).toBe(0);
  const texts = (await out.all).trimEnd().split("\n").map((line) => line.split("  ").at(-1));
  expect(texts.map((line) => line?.trim()))
    .toEqual(["before", "meanwhile", `${run_id} completed: as told`]);
});

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return String(port);
}

test("what cannot be followed is refused", async () => {
  expect(await tail(["run_none"])).toMatchObject({ code: 3, stdout: "" });
  expect(await tail(["run_none", "--after", "-1"])).toEqual({
    code: 2, stdout: "",
    stderr: "runhost: --after: must be the sequence of an event, 0 or larger\n",
  });
  const { run_id } = await claimed();
  const stranger = await registerPlugin(world());
  const refused = await tail([run_id, "--json"], stranger.token);
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({ data: { code: "FORBIDDEN" } });
});
