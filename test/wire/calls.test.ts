// Calls over real sockets: what is answered, in which order, what may overtake what, and what is
// refused before it is served. Numbers are literals of the wire contract.

import { afterEach, describe, expect, test } from "vitest";
import { Refusal } from "../../src/contract/errors.js";
import {
  asPlugin, createGate, goodToken, request, startTestWire, type Handler, type Peer, type TestWire,
  type TestWireOptions,
} from "./harness.js";

let wire: TestWire;

async function open(options: TestWireOptions = {}): Promise<Peer> {
  wire = await startTestWire(options);
  return wire.dial(asPlugin);
}

const settleWire = () => wire.stop();
afterEach(settleWire);

const outline = (answer: any) =>
  Array.isArray(answer)
    ? answer.map(({ id, error }) => [id, error?.code ?? "ok"])
    : [answer.id, answer.error?.code ?? "ok"];

describe("answers", () => {
  test.each<[string, string, unknown]>([
    ["no JSON", "{", [null, -32700]],
    ["null", "null", [null, -32600]],
    ["an empty batch", "[]", [null, -32600]],
    ["a wrong element alone in a batch", "[1]", [[null, -32600]]],
    ["null in a batch", "[null]", [[null, -32600]]],
    ["id null", '{"jsonrpc":"2.0","id":null,"method":"ping"}', [null, -32600]],
    ["an object as id", '{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}', [null, -32600]],
    [
      "a usable id beside a wrong version",
      '{"jsonrpc":"1.0","id":"a","method":"ping"}',
      ["a", -32600],
    ],
    ["params by position", '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', [1, -32602]],
    ["an unknown method", '{"jsonrpc":"2.0","id":2,"method":"foobar"}', [2, -32601]],
    ["a name of Object", '{"jsonrpc":"2.0","id":2,"method":"constructor"}', [2, -32601]],
    [
      "65 levels",
      `{"jsonrpc":"2.0","id":3,"method":"ping","params":${'{"a":'.repeat(64)}{}${"}".repeat(64)}}`,
      [3, -32602],
    ],
    ["half a million levels", "[".repeat(500_000) + "]".repeat(500_000), [[null, -32600]]],
    ["id 0", '{"jsonrpc":"2.0","id":0,"method":"ping"}', [0, "ok"]],
    ["an empty id", '{"jsonrpc":"2.0","id":"","method":"ping"}', ["", "ok"]],
    ["a batch of one", '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', [[1, "ok"]]],
  ])("%s", async (_title, text, expected) => {
    const peer = await open();
    peer.sendText(text);
    expect(outline(await peer.next())).toEqual(expected);
  });

  test("the mixed batch of the specification, in request order", async () => {
    const slow = createGate();
    const peer = await open({ handlers: { slow: () => slow.opened.then(() => 1) } });
    peer.send([
      request("1", "slow"),
      { jsonrpc: "2.0", method: "ping" },
      { foo: "boo" },
      request("5", "foo.get", { name: "myself" }),
      { jsonrpc: "2.0", id: 9, result: "an answer to nothing" },
      request(9, "ping"),
    ]);
    await peer.settle();
    expect(peer.received).toEqual([]);
    slow.open();
    expect(outline(await peer.next())).toEqual([
      ["1", "ok"], [null, -32600], ["5", -32601], [9, "ok"],
    ]);
  });

  test("an oversized batch is one refusal, not an array", async () => {
    const peer = await open();
    peer.send(Array.from({ length: 101 }, (_, id) => request(id, "ping")));
    expect(await peer.next()).toMatchObject({ id: null, error: { code: -32600 } });
    peer.sendText(`[${'{"jsonrpc":"2.0","id":1,"method":"x"},'.repeat(20_000)}1]`);
    expect(await peer.next()).toMatchObject({ id: null, error: { code: -32600 } });
    expect(wire.calls).toEqual([]);
  });

  test.each<[string, unknown]>([
    ["a notification", { jsonrpc: "2.0", method: "ping" }],
    ["a notification that fails", { jsonrpc: "2.0", method: "nothing" }],
    [
      "a batch of notifications",
      [{ jsonrpc: "2.0", method: "ping" }, { jsonrpc: "2.0", method: "x" }],
    ],
    ["a response", { jsonrpc: "2.0", id: 1, result: 1 }],
    ["a batch of responses", [{ jsonrpc: "2.0", id: 1, error: { code: 1, message: "" } }]],
  ])("%s is never answered", async (_title, value) => {
    const peer = await open();
    peer.send(value);
    expect(await peer.call("echo", { n: 1 })).toMatchObject({ result: { params: { n: 1 } } });
  });

  test("a missing result is null, and members of a result stay as they are", async () => {
    const peer = await open({ handlers: { nothing: () => undefined } });
    expect(await peer.call("nothing")).toEqual({ jsonrpc: "2.0", id: 1, result: null });
  });

  test("params keep every kind of value", async () => {
    const peer = await open();
    const params = { a: [1.5, -0, null, true, "\u{1F600}"], "": { b: {} } };
    const { result } = await peer.call("echo", params);
    expect(result).toEqual({ params: JSON.parse(JSON.stringify(params)), issues: [] });
  });
});

describe("failures inside", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  test.each<[string, Handler]>([
    ["throws", () => { throw new Error("select secret from plugin"); }],
    ["throws a string", () => { throw "secret"; }],
    ["rejects with nothing", () => Promise.reject()],
    ["answers a BigInt", () => ({ n: 1n })],
    ["answers a circle", () => circular],
  ])("a handler that %s is INTERNAL, and nothing of it is shown", async (_title, broken) => {
    const peer = await open({ handlers: { broken } });
    peer.send(request(1, "broken"));
    const text = JSON.stringify(await peer.next());
    expect(JSON.parse(text)).toMatchObject({ id: 1, error: { code: -32603 } });
    expect(text).not.toMatch(/secret|stack| at |circular/i);
    expect(wire.incidents).toHaveLength(1);
    expect(wire.incidents[0]!.method).toBe("broken");
    expect(await peer.call("ping")).toMatchObject({ result: { ok: true } });
  });

  test("a dispatcher that throws at once costs the connection, not the host", async () => {
    const broken = (): never => { throw new Error("broken"); };
    const dispatcher = { orderKeys: broken, listed: broken, call: broken };
    wire = await startTestWire({ parts: { dispatcher } });
    const peer = await wire.dial(asPlugin);
    peer.send(request(1, "ping"));
    expect(await peer.closed()).toBe(1011);
    expect(wire.logged.map(({ message }) => message)).toContain("a frame could not be answered");
  });

  test("a refusal keeps its number and its details", async () => {
    const refusal = new Refusal("CONFLICT", { reason: "sequence_reused", last_sequence: 3 });
    const peer = await open({ handlers: { refused: () => Promise.reject(refusal) } });
    const { error } = await peer.call("refused");
    expect(error.code).toBe(-32004);
    expect(error.data).toEqual({
      code: "CONFLICT", retryable: false, reason: "sequence_reused", last_sequence: 3,
    });
  });
});

describe("in flight", () => {
  test("each waiting call and each element counts; past the cap it is OVERLOADED", async () => {
    const gate = createGate();
    const wait = () => gate.opened.then(() => "done");
    const peer = await open({ handlers: { wait }, bounds: { max_in_flight: 3 } });
    peer.send(request(1, "wait"));
    const silent = { jsonrpc: "2.0", method: "wait" };
    peer.send([request(2, "wait"), request(3, "wait"), request(4, "wait"), silent]);
    peer.send(request(5, "ping"));
    peer.send({ jsonrpc: "2.0", method: "wait" });
    const refused = await peer.next();
    expect(refused).toMatchObject({ id: 5, error: { code: -32011, data: { retryable: true } } });
    expect(wire.calls).toHaveLength(3);
    gate.open();
    expect(outline(await peer.next())).toEqual([1, "ok"]);
    expect(outline(await peer.next())).toEqual([[2, "ok"], [3, "ok"], [4, -32011]]);
    expect(await peer.call("ping")).toMatchObject({ result: { ok: true } });
  });

  test("calls that wait for their turn count as well", async () => {
    const gate = createGate();
    const write = () => gate.opened;
    const peer = await open({ handlers: { write }, bounds: { max_in_flight: 2 } });
    for (const id of [1, 2, 3]) peer.send(request(id, "write", { run_id: "r" }));
    expect(outline(await peer.next())).toEqual([3, -32011]);
    gate.open();
    expect(outline(await peer.next())).toEqual([1, "ok"]);
    expect(outline(await peer.next())).toEqual([2, "ok"]);
  });
});

describe("order", () => {
  const writeTo = (run_id: string, n: number) => request(n, "write", { run_id, n });

  test("writes to one run take effect as they arrived; others overtake", async () => {
    const gates = [createGate(), createGate()];
    const write: Handler = ({ params }) => gates[params["n"] as number]?.opened;
    const peer = await open({ handlers: { write } });
    const started = () => wire.calls.map(({ params }) => `${params["run_id"]}${params["n"]}`);
    peer.send(writeTo("a", 0));
    peer.send([writeTo("a", 1), writeTo("a", 2)]);
    peer.send(writeTo("b", 3));
    expect(await peer.next()).toMatchObject({ id: 3 });
    expect(started()).toEqual(["a0", "b3"]);
    gates[0]!.open();
    expect(await peer.next()).toMatchObject({ id: 0 });
    await peer.settle();
    expect(started()).toEqual(["a0", "b3", "a1"]);
    gates[1]!.open();
    expect(outline(await peer.next())).toEqual([[1, "ok"], [2, "ok"]]);
    expect(started()).toEqual(["a0", "b3", "a1", "a2"]);
  });

  test("a write that is refused lets the next one start", async () => {
    const write: Handler = ({ params }) => {
      if (params["n"] === 0) throw new Refusal("RUN_TERMINAL");
      return "written";
    };
    const peer = await open({ handlers: { write } });
    peer.send([writeTo("a", 0), writeTo("a", 1)]);
    expect(outline(await peer.next())).toEqual([[0, -32006], [1, "ok"]]);
  });

  test("the next write starts at the effect, not at the answer", async () => {
    const answered = createGate();
    const started: unknown[] = [];
    wire = await startTestWire({
      parts: {
        dispatcher: {
          orderKeys: () => ["run"],
          listed: () => null,
          call({ params }) {
            started.push(params["n"]);
            const late = answered.opened.then(() => "late");
            const answer = params["n"] === 0 ? late : Promise.resolve("early");
            return { effect: Promise.resolve(), answer };
          },
        },
      },
    });
    const peer = await wire.dial(asPlugin);
    peer.send(request(0, "m", { n: 0 }));
    peer.send(request(1, "m", { n: 1 }));
    expect(await peer.next()).toMatchObject({ id: 1, result: "early" });
    answered.open();
    expect(await peer.next()).toMatchObject({ id: 0, result: "late" });
    expect(started).toEqual([0, 1]);
  });

  test("a thousand pipelined writes of one run keep their order", async () => {
    const seen: unknown[] = [];
    const write: Handler = async ({ params }) => {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(params["n"]);
    };
    const peer = await open({ handlers: { write }, bounds: { max_in_flight: 1000 } });
    for (let n = 0; n < 1000; n += 1) peer.send(writeTo("a", n));
    for (let n = 0; n < 1000; n += 1) expect((await peer.next()).id).toBe(n);
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });
});

describe("logging in", () => {
  const connect = (id: number, token = goodToken) => request(id, "plugin_connect", { token });

  test("calls pipelined behind plugin_connect wait for it", async () => {
    wire = await startTestWire();
    const peer = await wire.dial();
    peer.send(request(0, "echo"));
    peer.send(connect(1));
    peer.send(request(2, "echo"));
    peer.send([request(3, "echo"), request(4, "nothing")]);
    expect(outline(await peer.next())).toEqual([0, -32001]);
    expect(outline(await peer.next())).toEqual([1, "ok"]);
    expect(outline(await peer.next())).toEqual([2, "ok"]);
    expect(outline(await peer.next())).toEqual([[3, "ok"], [4, -32601]]);
  });

  test("within one batch too, and in its order", async () => {
    wire = await startTestWire();
    const peer = await wire.dial();
    peer.send([request(0, "echo"), connect(1), request(2, "echo")]);
    expect(outline(await peer.next())).toEqual([[0, -32001], [1, "ok"], [2, "ok"]]);
  });

  test("a second plugin_connect waits for the first one", async () => {
    wire = await startTestWire();
    const peer = await wire.dial();
    peer.send([connect(1, "rh_bad_x"), connect(2), request(3, "echo")]);
    expect(outline(await peer.next())).toEqual([[1, -32001], [2, "ok"], [3, "ok"]]);
    expect(wire.held).toEqual(["acme/one key"]);
  });

  test("after the header has proved an identity nothing waits", async () => {
    const gate = createGate();
    const plugin_connect = () => gate.opened;
    const peer = await open({ handlers: { plugin_connect } });
    peer.send(request(1, "plugin_connect"));
    peer.send(request(2, "ping"));
    expect(outline(await peer.next())).toEqual([2, "ok"]);
    gate.open();
    expect(outline(await peer.next())).toEqual([1, "ok"]);
  });
});

test("waits are told when the socket has closed", async () => {
  const aborted = createGate<unknown>();
  const wait: Handler = ({ signal }) =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve(aborted.open(signal.reason)));
    });
  const peer = await open({ handlers: { wait } });
  peer.send(request(1, "wait"));
  await peer.settle();
  peer.socket.close();
  expect(await aborted.opened).toBeInstanceOf(Refusal);
});

test("what has arrived is executed although the peer has left", async () => {
  const done = createGate();
  const write: Handler = ({ params }) => {
    if (params["n"] === 2) done.open();
    return new Promise((resolve) => setTimeout(resolve, 20));
  };
  const peer = await open({ handlers: { write } });
  for (const n of [0, 1, 2]) {
    peer.send({ jsonrpc: "2.0", method: "write", params: { run_id: "a", n } });
  }
  await peer.settle();
  peer.socket.terminate();
  await done.opened;
});
