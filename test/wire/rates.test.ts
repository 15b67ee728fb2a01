// How many connections and calls one host takes, of whom, and what those hear that come too often:
// over real sockets and a real host with small limits. What is refused was not done.

import { request } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { Client } from "../support/client.js";
import { createRates } from "../../src/authz/rates.js";
import { adminToken, registerPlugin, startTestHost, type HostWorld, type TestHost } from "../support/host.js";
import { useClone } from "../support/clone.js";
import { asPlugin, startTestWire } from "./harness.js";

const clone = useClone();
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function startLimited(environment: Record<string, string>): Promise<HostWorld> {
  const test: TestHost = await startTestHost({ database_url: clone().url, environment });
  ends.push(() => test.close());
  return { clone: clone(), test, admin: await test.connect() };
}

/** Status and Retry-After of an upgrade that is refused. */
function upgrade(url: string, token: string): Promise<{ status: number; after: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", authorization: `Bearer ${token}`,
    };
    const asked = request(url.replace("ws:", "http:"), { headers });
    asked.on("response", (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, after: response.headers["retry-after"] });
    });
    asked.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, after: undefined });
    });
    asked.on("error", reject);
    asked.end();
  });
}

const refusal = { code: "RATE_LIMITED", number: -32010, retryable: true };

describe("calls of one identity", () => {
  test("past the rate are refused with the time to come back, and do nothing", async () => {
    const world = await startLimited({ RUNHOST_CALLS_PER_SECOND: "5" });
    // Its three calls of the set-up are counted as well; another identity counts for itself.
    const plugin = await registerPlugin(world);
    const before = await clone().sql`select from agent_run`;
    const answers = await Promise.all(Array.from({ length: 40 }, () =>
      plugin.client.ask("run_create", { runner_id: plugin.runner_id })));
    const refused = answers.filter(({ error }) => error);
    expect(refused.length).toBeGreaterThan(20);
    for (const { error } of refused) {
      expect(error).toMatchObject({ code: -32010, data: { code: "RATE_LIMITED", retryable: true } });
      expect(error!.data["retry_after_ms"]).toBeGreaterThan(0);
      expect(error!.data["retry_after_ms"]).toBeLessThanOrEqual(1000);
    }
    const after = await clone().sql`select from agent_run`;
    expect(after.length - before.length).toBe(answers.length - refused.length);
  });

  test("each element of a batch counts, and a second connection counts with the first", async () => {
    const world = await startLimited({ RUNHOST_CALLS_PER_SECOND: "4" });
    const { token } = await world.admin.call("plugin_register", { plugin_identity: "acme/batch" });
    const clients = [await world.test.connect(token), await world.test.connect(token)];
    const batch = Array.from({ length: 10 }, (_, id) => ({ jsonrpc: "2.0", id, method: "ping" }));
    const [first] = clients as [Client, Client];
    const answered = new Promise<any[]>((resolve) =>
      first.socket.once("message", (data) => resolve(JSON.parse(String(data)))));
    first.socket.send(JSON.stringify(batch));
    const codes = (await answered).map(({ error }) => error?.data.code ?? "ok");
    expect(codes).toContain("RATE_LIMITED");
    expect(codes).toContain("ok");
    expect(await clients[1]!.refusal("ping")).toMatchObject(refusal);
  });

  test("a list counts as its items; a longer one than a second allows passes alone", async () => {
    const world = await startLimited({ RUNHOST_CALLS_PER_SECOND: "5" });
    const { token } = await world.admin.call("plugin_register", { plugin_identity: "acme/lists" });
    const client = await world.test.connect(token);
    const list = (count: number) => client.ask("run_finalize", { runs: Array(count).fill({}) });
    const four = await Promise.all([list(4), list(4)]);
    expect(four.map(({ error }) => error?.data["code"] ?? "ok")).toEqual(["ok", "RATE_LIMITED"]);
    await new Promise((resolve) => setTimeout(resolve, four[1]!.error!.data["retry_after_ms"] as number));
    const long = await list(15);
    expect((long.result as { items: unknown[] }).items).toHaveLength(15);
    const refused = await client.ask("ping", {});
    expect(refused.error?.data["code"]).toBe("RATE_LIMITED");
    expect(refused.error?.data["retry_after_ms"]).toBeGreaterThan(2000);
    expect(refused.error?.data["retry_after_ms"]).toBeLessThanOrEqual(3000);
  });

  test("0 counts nothing", async () => {
    const world = await startLimited({ RUNHOST_CALLS_PER_SECOND: "0" });
    const answers = await Promise.all(Array.from({ length: 200 }, () => world.admin.ask("ping", {})));
    expect(answers.filter(({ error }) => error)).toEqual([]);
  });
});

describe("connections of one identity", () => {
  test("past the rate are refused, by 429 and by RATE_LIMITED in-band; others come in", async () => {
    const world = await startLimited({ RUNHOST_CONNECTS_PER_MINUTE: "2" });
    const { token } = await world.admin.call("plugin_register", { plugin_identity: "acme/often" });
    const other = await world.admin.call("plugin_register", { plugin_identity: "acme/seldom" });
    await world.test.connect(token);
    await world.test.connect(token);
    const refused = await upgrade(world.test.host.url, token);
    expect(refused.status).toBe(429);
    expect(Number(refused.after)).toBeGreaterThan(0);
    const bare = await Client.open(world.test.host.url);
    expect(await bare.refusal("plugin_connect", { token })).toMatchObject(refusal);
    // It is not a failure of the peer: the connection may still prove another identity.
    expect(await bare.call("plugin_connect", { token: other.token }))
      .toMatchObject({ plugin_identity: "acme/seldom" });
    await bare.close();
  });
});

describe("failed logins of one address", () => {
  test("past the rate are refused without a look at the database", async () => {
    const { test: host } = await startLimited({ RUNHOST_LOGIN_FAILURES_PER_MINUTE: "3" });
    const bad = `rh_${"0".repeat(16)}_${"0".repeat(64)}`;
    for (let tries = 0; tries < 3; tries += 1) {
      expect((await upgrade(host.host.url, bad)).status).toBe(401);
    }
    const looked = host.statements.filter((name) => name.startsWith("plugin")).length;
    expect((await upgrade(host.host.url, bad)).status).toBe(429);
    const bare = await Client.open(host.host.url);
    expect(await bare.refusal("plugin_connect", { token: bad })).toMatchObject(refusal);
    await bare.close();
    expect(host.statements.filter((name) => name.startsWith("plugin")).length).toBe(looked);
  });
});

describe("strangers on the address of others", () => {
  const badToken = (n: number) => `rh_${String(n).padStart(16, "0")}_${"0".repeat(64)}`;

  test("do not shut out a token that was good here", async () => {
    const world = await startLimited({ RUNHOST_LOGIN_FAILURES_PER_MINUTE: "3" });
    const { url } = world.test.host;
    const known = await registerPlugin(world);
    const other = await world.admin.call("plugin_register", { plugin_identity: "acme/unseen" });
    for (let n = 0; n < 3; n += 1) expect((await upgrade(url, badToken(n))).status).toBe(401);
    expect((await upgrade(url, badToken(9))).status).toBe(429);
    expect((await upgrade(url, other.token)).status).toBe(429);
    expect((await upgrade(url, known.token)).status).toBe(101);
    // One that was good and is not any more counts as any other.
    await world.admin.call("plugin_rotate_token", { plugin_identity: known.identity });
    expect((await upgrade(url, known.token)).status).toBe(401);
    expect((await upgrade(url, known.token)).status).toBe(429);
  });

  test("that come all at once are looked up a few at a time, and then no more", async () => {
    const { test: host } = await startLimited({ RUNHOST_LOGIN_FAILURES_PER_MINUTE: "3" });
    const before = host.statements.length;
    const answers = await Promise.all(Array.from({ length: 60 }, (_, n) =>
      upgrade(host.host.url, badToken(n))));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status !== 401 && status !== 429)).toEqual([]);
    const looked = host.statements.slice(before).filter((name) => name.startsWith("plugin"));
    expect(looked.length).toBeGreaterThanOrEqual(3);
    // Eight are under way when the third has failed.
    expect(looked.length).toBeLessThanOrEqual(3 + 8);
  });

  test("are counted by network where one of them may have many addresses", async () => {
    const rates = createRates({
      calls_per_second: 0, connects_per_minute: 0, login_failures_per_minute: 2,
    });
    const refused = (address: string) =>
      rates.checkFailures(address).then(() => false, () => true);
    for (const address of ["2001:db8::1", "::ffff:10.0.0.1", "10.0.0.1"]) {
      await rates.countFailure(address);
    }
    expect(await refused("2001:db8::3")).toBe(false);
    await rates.countFailure("2001:db8:0:0:1:2:3:4");
    await rates.countFailure("10.0.0.1");
    expect(await refused("2001:db8::3")).toBe(true);
    expect(await refused("2001:db8:0:1::3")).toBe(false);
    expect(await refused("10.0.0.1")).toBe(true);
    expect(await refused("10.0.0.2")).toBe(false);
    expect(await refused("::ffff:10.0.0.1")).toBe(false);
  });
});

describe("the description before a login", () => {
  test("is given a few times a second; a sign of life and a login always", async () => {
    const world = await startLimited({});
    const bare = await Client.open(world.test.host.url);
    const batch = Array.from({ length: 60 }, (_, id) => ({ jsonrpc: "2.0", id, method: "rpc.discover" }));
    const answered = new Promise<any[]>((resolve) =>
      bare.socket.on("message", (data) => {
        const message = JSON.parse(String(data));
        if (Array.isArray(message)) resolve(message);
      }));
    bare.socket.send(JSON.stringify(batch));
    const refused = (await answered).filter(({ error }) => error);
    expect(refused.length).toBeGreaterThanOrEqual(20);
    expect(refused.length).toBeLessThan(60);
    for (const { error } of refused) {
      expect(error).toMatchObject({ code: -32010, data: { code: "RATE_LIMITED", retryable: true } });
      expect(error.data.retry_after_ms).toBeLessThanOrEqual(1000);
    }
    expect(await bare.call("ping")).toMatchObject({ time: expect.any(Number) });
    const described = await Promise.all(Array.from({ length: 25 }, () =>
      world.admin.ask("rpc.discover", {})));
    expect(described.filter(({ error }) => error)).toEqual([]);
    await bare.call("plugin_connect", { token: adminToken });
    expect(await bare.call("rpc.discover")).toMatchObject({ openrpc: expect.any(String) });
    await bare.close();
  });
});

describe("connections of one host", () => {
  test("past the most are refused with 503; one that leaves makes room", async () => {
    const wire = await startTestWire({ bounds: { max_connections: 2 } });
    ends.push(() => wire.stop());
    const first = await wire.dial(asPlugin);
    await wire.dial();
    await expect(wire.dial(asPlugin)).rejects.toThrow("503");
    await expect(wire.dial()).rejects.toThrow("503");
    await expect(wire.dial({ path: "/other" })).rejects.toThrow("404");
    first.socket.close();
    await first.closed;
    await expect.poll(() => wire.connections.size).toBe(1);
    await wire.dial(asPlugin);
    await expect(wire.dial()).rejects.toThrow("503");
  });

  test("sockets that never ask for anything are bounded too", async () => {
    const wire = await startTestWire({ bounds: { max_connections: 1, half_open_max: 1 } });
    ends.push(() => wire.stop());
    const { connect } = await import("node:net");
    const port = Number(new URL(wire.url).port);
    const sockets = Array.from({ length: 3 }, () => connect(port, "127.0.0.1"));
    ends.push(() => sockets.forEach((socket) => socket.destroy()));
    const closed = sockets.map((socket) => new Promise((resolve) => {
      socket.on("error", () => undefined).once("close", resolve);
    }));
    await Promise.race(closed);
  });
});
