// What becomes of calls when their connection ends: sent again, refused, or kept waiting, each by its
// class; in what order; for how long; and when the client gives up for good.

import { describe, expect, test } from "vitest";
import { HostError, type Closing } from "../../src/client/client.js";
import {
  answer, dial, reached, refusalOf, refuse, refuseAs, startPeer, who, type Frame, type Peer, type Reply,
} from "./peer.js";

/** Cuts the connection at the first frame of `method`, answers every other with its params. */
function cutOnce(method: string): { reply: Reply; seen: Frame[] } {
  const seen: Frame[] = [];
  const reply: Reply = (socket, frame) => {
    if (frame.method === method) seen.push(frame);
    if (frame.method === method && seen.length === 1) return socket.terminate();
    return answer(socket, frame.id, frame.params);
  };
  return { reply, seen };
}

describe("a call whose connection ends before its answer", () => {
  test.each([
    ["run_get", { target_run_id: "r" }],
    ["run_create", { run_id: "r", runner_id: "plugin:a/b/c" }],
    ["run_emit_result", { target_run_id: "r", sequence: 1, type: "run.completed" }],
    ["run_finalize", { target_run_id: "r", status: "completed" }],
    ["run_renew_claim", { target_run_id: "r", runtime_id: "a", claim_token: "t" }],
    ["runtime_heartbeat", { runtime_id: "a" }],
    ["steering_ack", { run_id: "r", steering_ids: ["s"] }],
    ["interaction_submit", { target_run_id: "r", interaction_id: "i" }],
    ["state_set", { run_id: "r", scope: "actor", key: "k", value: 1 }],
    ["state_set", { run_id: "r", scope: "actor", key: "k", value: 1, if_version: null }],
    ["state_delete", { run_id: "r", scope: "actor", key: "k" }],
  ])("is sent again, word for word: %s %j", async (method, params) => {
    const { reply, seen } = cutOnce(method);
    const { url } = await startPeer(reply);
    const host = await dial(url);
    expect(await host.call(method, params)).toEqual(params);
    expect(seen.map((frame) => frame.params)).toEqual([params, params]);
  });

  test.each([
    ["run_claim", { runtime_id: "a" }],
    ["run_release_claim", { target_run_id: "r", runtime_id: "a", claim_token: "t" }],
    ["plugin_register", { plugin_identity: "acme/bot" }],
    ["plugin_rotate_token", { plugin_identity: "acme/bot" }],
    ["steering_pull", { run_id: "r" }],
    ["runtime_reconcile", {}],
    ["state_set", { run_id: "r", scope: "actor", key: "k", value: 1, if_version: 0 }],
    ["state_delete", { run_id: "r", scope: "actor", key: "k", if_version: 3 }],
    ["one_of_a_newer_host", {}],
    ["toString", {}],
  ])("is refused, because a repeat is not the same: %s %j", async (method, params) => {
    const { reply, seen } = cutOnce(method);
    const { url } = await startPeer(reply);
    const host = await dial(url);
    expect(await refusalOf(host.call(method, params))).toMatchObject({
      code: "CONNECTION_LOST", number: 0, retryable: true, data: { close_code: 1006 },
    });
    expect(await host.ping()).toEqual({});
    expect(seen).toHaveLength(1);
  });

  test.each([
    ["run_create", "run_id", "run_", { runner_id: "plugin:a/b/c" }],
    ["run_retry", "new_run_id", "run_", { target_run_id: "r", new_run_id: null }],
    ["event_publish", "event_id", "evt_", {}],
  ])("%s has a %s of the client's making, the same both times", async (method, key, prefix, given) => {
    const { reply, seen } = cutOnce(method);
    const { url } = await startPeer(reply);
    const host = await dial(url);
    await host.call(method, given);
    const ids = seen.map(({ params }) => params[key]);
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(ids[0].startsWith(prefix)).toBe(true);
    expect(ids[0].slice(prefix.length)).toMatch(uuid);
    expect(ids[1]).toBe(ids[0]);
    const hex = ids[0].slice(prefix.length).replaceAll("-", "").slice(0, 12);
    expect(Math.abs(Number.parseInt(hex, 16) - Date.now())).toBeLessThan(60_000);
    expect(Object.keys(given)).not.toContain(key === "new_run_id" ? "" : key);
  });

  test("a wait that is repeated lasts what is left of it", async () => {
    const { reply, seen } = cutOnce("run_wait");
    const held: Reply = (socket, frame) =>
      frame.method === "run_wait" && seen.length === 0
        ? void setTimeout(() => reply(socket, frame), 1100)
        : reply(socket, frame);
    const { url } = await startPeer(held);
    const host = await dial(url);
    await host.runWait({ target_run_id: "r", wait_seconds: 60 });
    const waits = seen.map(({ params }) => params["wait_seconds"]);
    expect(waits[0]).toBe(60);
    expect(waits[1]).toBeLessThanOrEqual(59);
    expect(waits[1]).toBeGreaterThan(30);
  });
});

/** At its first call a connection begins to close; it ends only when the test lets go of it. */
async function dialClosing(options: Partial<Parameters<typeof dial>[1]> = {}) {
  let first: (Parameters<Reply>[0] & { _socket?: { end: () => void } }) | undefined;
  let hear = (): void => undefined;
  const echoed = new Promise<void>((resolve) => (hear = resolve));
  const peer = await startPeer((socket, { id, method }) => {
    answer(socket, id, method);
    if (first !== undefined) return;
    first = socket;
    // Called once the client's own close frame is here.
    first._socket!.end = hear;
    socket.close(1001, "the host is stopping");
  });
  const host = await dial(peer.url, options);
  await host.ping();
  await echoed;
  return { host, peer, letGo: () => first?.terminate() };
}

describe("a call that is made while the connection closes", () => {
  test.each(["run_claim", "run_get"])("never left: %s waits for the next one", async (method) => {
    const { host, peer, letGo } = await dialClosing();
    expect(host.state).toBe("open");
    const called = host.call(method, { runtime_id: "a" });
    letGo();
    expect(await called).toBe(method);
    expect(peer.methods()).toEqual(["ping", method]);
  });

  test("is refused where there is no next one", async () => {
    const { host, peer, letGo } = await dialClosing({ reconnect: false });
    const called = refusalOf(host.call("run_claim", { runtime_id: "a" }));
    letGo();
    expect(await called).toMatchObject({ code: "CONNECTION_LOST", data: { close_code: 1001 } });
    expect(peer.methods()).toEqual(["ping"]);
  });
});

describe("the order of calls", () => {
  test("stays over a reconnect: those under way, those that waited, those made meanwhile", async () => {
    let connections = 0;
    const order: number[] = [];
    const { url } = await startPeer((socket, { id, method, params }) => {
      if (method === "run_list") return void (connections += 1);
      order.push(params["limit"]);
      if (connections === 0 && order.length === 2) return socket.terminate();
      return connections === 0 ? undefined : answer(socket, id, null);
    }, { proved: { ...who, limits: { max_in_flight: 2 } } });
    const host = await dial(url);
    const send = (limit: number) => host.auditPage({ domain: "plugin", limit });
    const calls = [1, 2, 3, 4].map(send);
    await reached(host, "reconnecting");
    connections = 1;
    calls.push(send(5));
    await Promise.all(calls);
    expect(order).toEqual([1, 2, 1, 2, 3, 4, 5]);
  });

  test("no more calls are in flight than the host takes", async () => {
    const held: [Parameters<Reply>[0], number][] = [];
    let most = 0;
    const peer = await startPeer((socket, { id }) => {
      held.push([socket, id]);
      most = Math.max(most, held.length);
      if (held.length === 3) for (const [to, one] of held.splice(0)) answer(to, one, null);
    }, { proved: { ...who, limits: { max_in_flight: 3 } } });
    const host = await dial(peer.url);
    await Promise.all(Array.from({ length: 9 }, () => host.ping()));
    expect(most).toBe(3);
  });

  test("one call that is too large for the host is refused alone", async () => {
    const { url, methods } = await startPeer((socket, { id }) => answer(socket, id, null), {
      proved: { ...who, limits: { max_message_bytes: 1000 } },
    });
    const host = await dial(url);
    expect(await refusalOf(host.runCreate({ text: "é".repeat(450) }))).toMatchObject({
      code: "PAYLOAD_TOO_LARGE", number: -32009, reason: "message", data: { limit_bytes: 1000 },
    });
    await host.runCreate({ text: "e".repeat(700) });
    expect(methods()).toEqual(["run_create"]);
  });
});

describe("refusals after which the host asks to come back", () => {
  test.each(["UNAVAILABLE", "OVERLOADED", "RATE_LIMITED"])("%s: a read is made again", async (code) => {
    let asked = 0;
    const { url } = await startPeer((socket, { id }) => {
      asked += 1;
      if (asked < 3) return refuseAs(socket, id, { code, retryable: true });
      return answer(socket, id, asked);
    });
    expect(await (await dial(url)).call("run_get", { target_run_id: "r" })).toBe(3);
  });

  test("not before retry_after_ms", async () => {
    const at: number[] = [];
    const { url } = await startPeer((socket, { id }) => {
      at.push(performance.now());
      if (at.length > 1) return answer(socket, id, null);
      return refuseAs(socket, id, { code: "RATE_LIMITED", retryable: true, retry_after_ms: 700 });
    });
    await (await dial(url)).ping();
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(699);
  });

  test("one whose time would be over first is refused at once, with what the host said", async () => {
    const { url, methods } = await startPeer((socket, { id }) =>
      refuseAs(socket, id, { code: "RATE_LIMITED", retryable: true, retry_after_ms: 60_000 }));
    const refused = await refusalOf((await dial(url)).ping());
    expect(refused).toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 60_000, retryable: true });
    expect(methods()).toHaveLength(1);
  });

  test("a claim and a refusal of another kind are the caller's to judge", async () => {
    const { url, methods } = await startPeer((socket, { id, method }) =>
      refuseAs(socket, id, {
        code: method === "run_claim" ? "UNAVAILABLE" : "NO_RUN_AVAILABLE", retryable: true,
      }));
    const host = await dial(url);
    expect(await refusalOf(host.runClaim({ runtime_id: "a" }))).toMatchObject({ code: "UNAVAILABLE" });
    expect(await refusalOf(host.ping())).toMatchObject({ code: "NO_RUN_AVAILABLE" });
    expect(methods()).toHaveLength(2);
  });
});

/** A peer that is away, and a client that knows it. */
async function loseHost(options = {}): Promise<{ peer: Peer; host: Awaited<ReturnType<typeof dial>> }> {
  const peer = await startPeer(() => undefined);
  const host = await dial(peer.url, options);
  await peer.stop();
  await reached(host, "reconnecting");
  return { peer, host };
}

describe("deadlines and signals", () => {
  test("a call that is not answered is given up after its time, and says that it was sent", async () => {
    const { url } = await startPeer(() => undefined);
    const host = await dial(url, { timeoutMs: 50 });
    expect(await refusalOf(host.ping())).toMatchObject({
      code: "TIMEOUT", number: 0, retryable: true, data: { sent: true },
      message: "ping was not answered within 50 ms",
    });
    expect((await refusalOf(host.ping({}, { timeoutMs: 20 }))).message).toContain("within 20 ms");
  });

  test("what the call asks the host to wait comes on top", async () => {
    const { url } = await startPeer((socket, { id, method }) =>
      void (method === "ping" || setTimeout(() => answer(socket, id, "late"), 300)));
    const host = await dial(url, { timeoutMs: 100 });
    const waited = [
      host.call("run_wait", { target_run_id: "r" }),
      host.call("run_wait", { target_run_id: "r", wait_seconds: 9 }),
      host.call("run_claim", { runtime_id: "a", wait_seconds: 9 }),
      host.call("run_create", { wait_for_completion: true }),
      host.call("run_create", { wait_for_completion: true, wait_seconds: 9 }),
    ];
    const not = [
      host.call("run_claim", { runtime_id: "a" }),
      host.call("run_create", { wait_seconds: 20 }),
      host.call("run_create", { wait_for_completion: false, wait_seconds: 20 }),
    ];
    const refused = await Promise.all(not.map(refusalOf));
    expect(refused.map(({ code }) => code)).toEqual(["TIMEOUT", "TIMEOUT", "TIMEOUT"]);
    expect(await Promise.all(waited)).toEqual(["late", "late", "late", "late", "late"]);
  });

  test("a call waits for a host that is away, within its time", async () => {
    const { host } = await loseHost();
    const refused = await refusalOf(host.ping({}, { timeoutMs: 30 }));
    expect(refused).toMatchObject({ code: "TIMEOUT", data: { sent: false } });
  });

  test("a call that waits for the host is sent when it is back", async () => {
    const { peer, host } = await loseHost();
    const waiting = host.runClaim({ runtime_id: "a", max_runs: 2 });
    const back = await startPeer((socket, { id }) => answer(socket, id, { runs: [] }), {
      port: peer.port,
    });
    expect(await waiting).toEqual({ runs: [] });
    expect(back.methods()).toEqual(["run_claim"]);
  });

  test("an abort ends each kind of waiting with its reason, and nothing is sent for it", async () => {
    const { peer, host } = await loseHost();
    const abort = new AbortController();
    const waiting = host.ping({}, { signal: abort.signal });
    abort.abort("enough");
    await expect(waiting).rejects.toBe("enough");
    const back = await startPeer((socket, { id }) => answer(socket, id, null), { port: peer.port });
    await host.runStats();
    expect(back.methods()).toEqual(["run_stats"]);
  });

  test("an abort ends the rest before a repeat", async () => {
    const { url, arrived, methods } = await startPeer((socket, { id }) =>
      refuseAs(socket, id, { code: "RATE_LIMITED", retryable: true, retry_after_ms: 200 }));
    const host = await dial(url);
    const abort = new AbortController();
    const waiting = host.ping({}, { signal: abort.signal });
    await arrived(2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    abort.abort("enough");
    await expect(waiting).rejects.toBe("enough");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(methods()).toEqual(["ping"]);
  });
});

describe("the end", () => {
  test("the state is told: reconnecting, open, closed", async () => {
    const peer = await startPeer((socket, { id }) => answer(socket, id, null));
    const host = await dial(peer.url);
    const states: string[] = [host.state];
    const leave = host.onState((state) => states.push(state));
    peer.cut();
    await reached(host, "reconnecting");
    await reached(host, "open");
    await host.close();
    await host.closed;
    leave();
    expect(states).toEqual(["open", "reconnecting", "open", "closed"]);
  });

  test("a token that is refused when the host is back closes the client for good", async () => {
    const { peer, host } = await loseHost();
    const waiting = refusalOf(host.ping());
    const back = await startPeer((socket, { id, method }) =>
      refuse(socket, id, {
        code: -32001, message: method, data: { code: "UNAUTHENTICATED", retryable: false },
      }), { port: peer.port, takes: "another" });
    expect(await waiting).toMatchObject({ code: "UNAUTHENTICATED", number: -32001, retryable: false });
    expect(host.state).toBe("closed");
    expect(await host.closed).toMatchObject({ code: 1006 });
    expect(await refusalOf(host.ping())).toMatchObject({ code: "UNAUTHENTICATED" });
    expect(back.frames).toHaveLength(1);
  });

  test("4401 closes it for good and refuses what is under way and what comes", async () => {
    const peer = await startPeer((socket) => socket.close(4401, "the token was revoked"));
    const host = await dial(peer.url);
    const under_way = [host.ping(), host.runClaim({ runtime_id: "a" })].map(refusalOf);
    for (const one of [...(await Promise.all(under_way)), await refusalOf(host.ping())]) {
      expect(one).toMatchObject({ code: "UNAUTHENTICATED", retryable: false });
    }
    expect(await host.closed).toEqual<Closing>({ code: 4401, reason: "the token was revoked" });
    expect(peer.frames.filter(({ method }) => method === "plugin_connect")).toHaveLength(1);
  });

  test("close ends the search for a host, and what waits for it", async () => {
    const { host } = await loseHost();
    const waiting = refusalOf(host.ping());
    await host.close();
    expect(await waiting).toMatchObject({ code: "CLOSED", retryable: false });
    expect(await host.closed).toEqual({ code: 1000, reason: "" });
  });

  test("a host that is silent is given up and looked for anew; one that answers is kept", async () => {
    const peer = await startPeer((socket, { id, method }) => {
      if (method === "ping" && peer.methods().length < 4) answer(socket, id, null);
    });
    const host = await dial(peer.url, { pingMs: 60 });
    const started = performance.now();
    await reached(host, "reconnecting");
    const taken = performance.now() - started;
    // Three pings are answered, 60 ms after one another; the fourth is not.
    expect(taken).toBeGreaterThan(4 * 60);
    expect(peer.methods().slice(0, 4)).toEqual(["ping", "ping", "ping", "ping"]);
    await reached(host, "open");
  });

  test("the failure of a call shows where it was made", async () => {
    const { url } = await startPeer((socket, { id }) =>
      refuseAs(socket, id, { code: "NOT_FOUND", retryable: false }));
    const host = await dial(url);
    async function askInVain() {
      return await host.runGet({ target_run_id: "r" });
    }
    const thrown = await askInVain().catch((cause: HostError) => cause);
    expect((thrown as HostError).stack).toContain("askInVain");
  });
});
