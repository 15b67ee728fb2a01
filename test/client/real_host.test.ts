// The client on a real host, over a wire that is cut, frozen, and a host that restarts: what was
// asked happens once, what was followed comes whole, and many clients come back together.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connect, type Host } from "../../src/client/client.js";
import { root } from "../house/source.js";
import { adminToken, claimOf, fresh, registerPlugin, startTestHost, useHost } from "../support/host.js";
import { dial, ends, reached, refusalOf, startWire } from "./peer.js";

const world = useHost();

const asAdmin = (url: string, options = {}): Promise<Host> =>
  dial(url, { token: adminToken, ...options });

/** A claimed run, and its plugin's client on `url`. */
async function startWork(url: string) {
  const { token, identity, runner_id, runtime_id } = await registerPlugin(world());
  const host = await dial(url, { token });
  const { run_id } = await host.runCreate({ runner_id });
  const item = await host.runClaim({ runtime_id });
  const emit = (sequence: number, type = "tool.call.started") => host.runEmitResult({
    target_run_id: run_id, ...claimOf(item as any), sequence, type,
    data: type === "run.completed" ? {} : { tool_call_id: `t${sequence}`, tool_name: "t" },
  });
  return { host, identity, runner_id, runtime_id, run_id, emit };
}

test("20 ends of the connection leave 1 to N, each once", async () => {
  const wire = await startWire(world().test.host.url);
  const work = await startWork(world().test.host.url);
  const follower = await asAdmin(wire.url);
  const seen: number[] = [];
  let cuts = 0;
  const total = 200;
  const writing = (async () => {
    for (let n = 1; n < total; n += 1) await work.emit(n);
    await work.emit(total, "run.completed");
  })();
  const events = follower.events(work.run_id);
  for await (const { sequence } of events) {
    seen.push(sequence);
    if (sequence % 9 !== 0 || cuts === 20) continue;
    cuts += 1;
    wire.cut();
  }
  await writing;
  expect(cuts).toBe(20);
  expect(seen).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  expect(events.run).toMatchObject({ run_id: work.run_id, status: "completed" });
});

test("calls over a wire that is cut again and again take effect once", async () => {
  const wire = await startWire(world().test.host.url);
  const { runner_id } = await registerPlugin(world());
  const host = await asAdmin(wire.url);
  const workspace_id = fresh("w");
  let answered = 0;
  let repeated = 0;
  const made = await Promise.all(Array.from({ length: 300 }, async (_, index) => {
    const run = await host.runCreate({ runner_id, workspace_id, metadata: { index } });
    answered += 1;
    if (run.idempotent) repeated += 1;
    if (answered % 20 === 0) wire.cut();
    return run;
  }));
  const { total_count } = await host.runList({ workspace_id, include_total: true, limit: 1 });
  expect(new Set(made.map(({ run_id }) => run_id)).size).toBe(300);
  expect(made.map(({ metadata }) => metadata["index"])).toEqual(made.map((_, index) => index));
  expect(total_count).toBe(300);
  // Calls whose answer was lost did take effect the first time.
  expect(repeated).toBeGreaterThan(0);
});

test("a half-open socket is noticed, and calls go on over another", async () => {
  const wire = await startWire(world().test.host.url);
  const host = await asAdmin(wire.url, { pingMs: 200 });
  wire.freeze();
  const started = performance.now();
  const waiting = host.ping();
  await reached(host, "reconnecting");
  const noticed_ms = performance.now() - started;
  // Two intervals after the last sign of life, which came before the wire was frozen.
  expect(noticed_ms).toBeGreaterThan(200);
  expect(await waiting).toMatchObject({ ok: true });
});

test("a rotated token closes the client for good", async () => {
  const { identity, token } = await registerPlugin(world());
  const bot = await dial(world().test.host.url, { token });
  const admin = await asAdmin(world().test.host.url);
  await admin.pluginRotateToken({ plugin_identity: identity });
  expect((await bot.closed).code).toBe(4401);
  expect(bot.state).toBe("closed");
  expect(await refusalOf(bot.ping())).toMatchObject({ code: "UNAUTHENTICATED" });
});

test("permissions are those of the last connection", async () => {
  const { identity, token } = await registerPlugin(world());
  const wire = await startWire(world().test.host.url);
  const bot = await dial(wire.url, { token });
  expect(bot).toMatchObject({ identity, tenant_id: "default", permissions: ["agent_run:create"] });
  const admin = await asAdmin(world().test.host.url);
  await admin.pluginRegister({ plugin_identity: identity, permissions: [] });
  const back = reached(bot, "reconnecting").then(() => reached(bot, "open"));
  wire.cut();
  await back;
  expect(bot.permissions).toEqual([]);
});

test("many clients find a restarted host, with what they were waiting for", async () => {
  const database_url = world().clone.url;
  const first = await startTestHost({ database_url });
  const RUNHOST_PORT = new URL(first.host.url).port;
  const hosts = await Promise.all(Array.from({ length: 100 }, () => asAdmin(first.host.url)));
  const lost = hosts.map((host) => reached(host, "reconnecting"));
  await first.close();
  await Promise.all(lost);
  const waiting = hosts.map((host) => host.ping());
  const second = await startTestHost({ database_url, environment: { RUNHOST_PORT } });
  ends.unshift(() => second.close());
  expect((await Promise.all(waiting)).every(({ ok }) => ok)).toBe(true);
  expect(new Set(hosts.map(({ state }) => state))).toEqual(new Set(["open"]));
});

test("a program that has closed its client ends, also while it looks for a host", async () => {
  const file = join(root, "dist", `${fresh("client_end")}.mjs`);
  await writeFile(file, `
    import { connect } from "runhost/client";
    process.on("unhandledRejection", (cause) => { console.log("unhandled", cause); });
    const [url, token] = process.argv.slice(2);
    const host = await connect({ url, token });
    host.ping().catch(() => undefined);
    host.events("run_nowhere").next().catch(() => undefined);
    host.runClaim({ runtime_id: "none", wait_seconds: 60 }).catch(() => undefined);
    process.stdin.once("data", async () => {
      await new Promise((resolve) => host.onState(resolve));
      host.runGet({ target_run_id: "r" }).catch(({ code }) => console.log(code));
      setTimeout(() => host.close(), 100);
      process.stdin.destroy();
    });
    console.log("ready");
  `);
  ends.push(() => rm(file));
  const wire = await startWire(world().test.host.url);
  const child = spawn(process.execPath, [file, wire.url, adminToken], { cwd: root });
  ends.push(() => child.kill("SIGKILL"));
  let out = "";
  child.stderr.on("data", (bytes) => (out += bytes));
  child.stdout.on("data", (bytes) => (out += bytes));
  const exited = once(child, "exit");
  await once(child.stdout, "data");
  wire.refuse();
  child.stdin.write("\n");
  wire.cut();
  const [code] = await exited;
  expect([code, out]).toEqual([0, "ready\nCLOSED\n"]);
});

test("connect itself is refused for a token that the host does not know", async () => {
  expect(await refusalOf(connect({ url: world().test.host.url, token: "rh_no_no" }))).toMatchObject({
    code: "UNAUTHENTICATED", number: -32001,
  });
});
