// Who is told of a cancel request, and what the host remembers of a connection: identities it
// counts as, claims made over it, both bounded and gone with it.

import { afterEach, describe, expect, test } from "vitest";
import type { Proof } from "../../src/wire/parts.js";
import { goodToken, startTestWire, type Handler, type Peer, type TestWire } from "./harness.js";

let wire: TestWire;
const settleWire = () => wire.stop();
afterEach(settleWire);

const named = (name: string, tenant_id = "default"): Proof => ({
  principal: { tenant_id, plugin_identity: `acme/${name}` },
  key_id: name,
});

/** The token is `TENANT.NAME`. */
const identify = async (plugin_token: string): Promise<Proof> => {
  const [tenant_id, name] = plugin_token.split(".");
  return named(name!, tenant_id);
};

const claim: Handler = ({ connection, params }) => {
  const { tenant_id } = connection.principal!;
  const { run_id, claim_epoch } = params as { run_id: string; claim_epoch: number };
  connection.noteClaim({ tenant_id, run_id, claim_epoch });
};

const speakFor: Handler = ({ connection, params }) =>
  connection.calledAs(named(String(params["name"]), connection.principal!.tenant_id).principal);

const start = async (bounds = {}) => {
  wire = await startTestWire({ identify, handlers: { claim, speakFor }, bounds });
};
const as = (token: string) => wire.dial({ headers: { authorization: `Bearer ${token}` } });

const request = {
  tenant_id: "default", run_id: "run_1", status_reason: "stop", plugin_identity: "acme/owner",
  claim_epoch: 2, claimed: true,
};
const pushed = {
  jsonrpc: "2.0",
  method: "run_cancel_requested",
  params: { run_id: "run_1", status_reason: "stop" },
};

/** What a peer was told before its next answer. */
async function told(peer: Peer): Promise<unknown[]> {
  const messages = [];
  let message = await peer.call("ping");
  for (; message.id === undefined; message = await peer.next()) messages.push(message);
  return messages;
}

describe("run_cancel_requested", () => {
  test("goes to every connection of the owner and to no other", async () => {
    await start();
    const peers = [await as("default.owner"), await as("default.owner"), await as("default.other")];
    const unproved = await wire.dial();
    wire.connections.pushCancel(request);
    expect(await Promise.all(peers.map(told))).toEqual([[pushed], [pushed], []]);
    expect(await told(unproved)).toEqual([]);
  });

  test("goes to the connection that made the present claim, not to the one before", async () => {
    await start();
    const [first, second] = [await as("default.worker"), await as("default.worker")];
    await first.call("claim", { run_id: "run_1", claim_epoch: 1 });
    await second.call("claim", { run_id: "run_1", claim_epoch: 2 });
    wire.connections.pushCancel(request);
    expect(await told(first)).toEqual([]);
    expect(await told(second)).toEqual([pushed]);
  });

  test("a run that has ended is forgotten, of one tenant and by every connection", async () => {
    await start();
    const [mine, theirs] = [await as("default.worker"), await as("t2.worker")];
    for (const peer of [mine, theirs]) {
      await peer.call("claim", { run_id: "run_1", claim_epoch: 2 });
      await peer.call("claim", { run_id: "run_2", claim_epoch: 2 });
    }
    wire.connections.forgetRun({ tenant_id: "default", run_id: "run_1" });
    for (const tenant_id of ["default", "t2"]) {
      wire.connections.pushCancel({ ...request, tenant_id });
      wire.connections.pushCancel({ ...request, tenant_id, run_id: "run_2" });
    }
    const runs = async (peer: Peer) =>
      (await told(peer)).map((message) => (message as typeof pushed).params.run_id);
    expect(await runs(mine)).toEqual(["run_2"]);
    expect(await runs(theirs)).toEqual(["run_1", "run_2"]);
  });

  test("goes to no claimer of a run that is not claimed", async () => {
    await start();
    const peer = await as("default.worker");
    await peer.call("claim", { run_id: "run_1", claim_epoch: 2 });
    wire.connections.pushCancel({ ...request, claimed: false });
    expect(await told(peer)).toEqual([]);
  });

  test("reaches an owner that claimed it itself once", async () => {
    await start();
    const peer = await as("default.owner");
    await peer.call("claim", { run_id: "run_1", claim_epoch: 2 });
    await peer.call("speakFor", { name: "owner" });
    wire.connections.pushCancel(request);
    expect(await told(peer)).toEqual([pushed]);
  });

  test("stays inside the tenant, for owner and claimer", async () => {
    await start();
    const [owner, worker] = [await as("t2.owner"), await as("t2.worker")];
    await worker.call("claim", { run_id: "run_1", claim_epoch: 2 });
    wire.connections.pushCancel(request);
    expect([await told(owner), await told(worker)]).toEqual([[], []]);
  });

  test("reaches a delegate that has called as the owner", async () => {
    await start();
    const peer = await as("default.runtime");
    wire.connections.pushCancel(request);
    expect(await told(peer)).toEqual([]);
    await peer.call("speakFor", { name: "owner" });
    wire.connections.pushCancel({ ...request, status_reason: null });
    const params = { run_id: "run_1", status_reason: null };
    expect(await told(peer)).toEqual([{ ...pushed, params }]);
  });

  test("finds nobody after the connection has gone", async () => {
    await start();
    const peer = await as("default.owner");
    await peer.call("claim", { run_id: "run_1", claim_epoch: 2 });
    peer.socket.close();
    await expect.poll(() => wire.connections.size).toBe(0);
    wire.connections.pushCancel(request);
    expect(wire.held).toEqual([]);
  });
});

describe("what is remembered", () => {
  const runs = ["run_1", "run_2", "run_3"];
  const claimAll = async (peer: Peer, run_ids: string[]) => {
    for (const run_id of run_ids) await peer.call("claim", { run_id, claim_epoch: 2 });
  };
  const cancelAll = async (peer: Peer) => {
    for (const run_id of runs) wire.connections.pushCancel({ ...request, run_id });
    return (await told(peer)).map((message: any) => message.params.run_id);
  };

  test("the oldest claim is forgotten past the bound", async () => {
    await start({ remembered_per_connection: 2 });
    const peer = await as("default.worker");
    await claimAll(peer, runs);
    expect(await cancelAll(peer)).toEqual(["run_2", "run_3"]);
  });

  test("claiming again makes a run the newest", async () => {
    await start({ remembered_per_connection: 2 });
    const peer = await as("default.worker");
    await claimAll(peer, ["run_1", "run_2", "run_1", "run_3"]);
    expect(await cancelAll(peer)).toEqual(["run_1", "run_3"]);
  });

  test("of the identities it spoke for the oldest goes, its own stays", async () => {
    await start({ remembered_per_connection: 2 });
    const peer = await as("default.runtime");
    for (const name of ["a", "b", "c"]) await peer.call("speakFor", { name });
    expect(wire.held).toEqual(["acme/runtime runtime", "acme/c null"]);
    wire.connections.revoke(named("runtime").principal, null);
    expect(await peer.closed()).toBe(4401);
    await expect.poll(() => wire.held).toEqual([]);
  });

  test("revoking an identity does not close a delegate that spoke for it", async () => {
    await start();
    const peer = await as("default.runtime");
    await peer.call("speakFor", { name: "owner" });
    wire.connections.revoke(named("owner").principal, null);
    await peer.settle();
    expect(await told(peer)).toEqual([]);
  });

  test("tenants are those of proved identities", async () => {
    await start();
    await wire.dial();
    expect(wire.connections.tenants()).toEqual([]);
    const late = await wire.dial();
    await late.call("plugin_connect", { token: "t1.a" });
    await as("t1.b");
    await as("t2.a");
    expect(wire.connections.tenants().sort()).toEqual(["t1", "t2"]);
  });

  test("the built-in administrator's connection is not one of a key", async () => {
    wire = await startTestWire({ identify: async () => ({ ...named("x"), key_id: null }) });
    const peer = await as(goodToken);
    wire.connections.revoke(named("x").principal, null);
    await peer.settle();
    expect(await told(peer)).toEqual([]);
  });
});
