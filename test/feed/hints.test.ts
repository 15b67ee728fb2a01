// Hints between hosts: gathered, sent one batch at a time, heard by the others only; what cannot be
// sent is dropped, what is not understood is ignored, and a connection that was lost is opened again.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createHints, createNoHints, type Hint, type Hints } from "../../src/feed/hints.js";
import { shareSignals } from "../../src/feed/sharing.js";
import { createSignals, type SteeringFact } from "../../src/feed/signals.js";
import { createDatabase, type Database } from "../../src/sql/database.js";
import { useClone } from "../support/clone.js";
import { upTo } from "./world.js";

const event = (run_id: string): Hint => ({ kind: "event", tenant_id: "default", run_id });
const turn = () => new Promise((resolve) => setTimeout(resolve, 20));

/** A carrier that a test answers by hand. */
function openCarrier(hello_ms = 60_000) {
  const batches: string[][] = [];
  const hellos: number[] = [];
  let answer = { done: (): void => undefined, fail: (): void => undefined };
  let onPayload = (_payload: string): void => undefined;
  let onOpened = (): void => undefined;
  const hints = createHints({
    open(listener, opened) {
      onPayload = listener;
      onOpened = opened;
      return {
        send(payloads) {
          if (payloads[0] === '["host-a"]') {
            hellos.push(performance.now());
            return Promise.resolve();
          }
          batches.push([...payloads]);
          return new Promise((resolve, reject) => {
            answer = { done: resolve, fail: () => reject(new Error("down")) };
          });
        },
        stop: async () => undefined,
      };
    },
    host_id: "host-a",
    pause_ms: 1,
    hello_ms,
  });
  const heard: Hint[] = [];
  hints.onHint((hint) => heard.push(hint));
  const arrive = (payload: string) => onPayload(payload);
  return {
    hints, batches, hellos, heard, arrive, opened: () => onOpened(), done: () => answer.done(),
    fail: () => answer.fail(),
  };
}

describe("a batch", () => {
  test("gathers what is told meanwhile, each thing once; one is under way at a time", async () => {
    const { hints, batches, done } = openCarrier();
    hints.publish(event("r1"));
    hints.publish(event("r1"));
    hints.publish({ kind: "claimable", tenant_id: "default" });
    await turn();
    expect(batches).toEqual([['["host-a",["event","default","r1"],["claimable","default"]]']]);
    for (const run_id of ["r1", "r2", "r1"]) hints.publish(event(run_id));
    await turn();
    expect(batches).toHaveLength(1);
    done();
    await turn();
    expect(batches[1]).toEqual(['["host-a",["event","default","r1"],["event","default","r2"]]']);
  });

  test("that fails is dropped, and the next one is sent", async () => {
    const { hints, batches, fail } = openCarrier();
    hints.publish(event("r1"));
    await turn();
    fail();
    await turn();
    hints.publish(event("r2"));
    await turn();
    expect(batches.at(-1)).toEqual(['["host-a",["event","default","r2"]]']);
  });

  test("is cut into payloads that NOTIFY takes, and all of it arrives", async () => {
    const { hints, batches } = openCarrier();
    const ids = upTo(300).map((place) => `${"\u0001é\"".repeat(60)}-${place}`);
    for (const run_id of ids) hints.publish(event(run_id));
    await turn();
    expect(batches[0]!.length).toBeGreaterThan(10);
    expect(Math.max(...batches[0]!.map((text) => Buffer.byteLength(text)))).toBeLessThan(8000);
    const other = openCarrier();
    for (const payload of batches[0]!) other.arrive(payload.replace("host-a", "host-b"));
    expect(other.heard.map((hint) => "run_id" in hint && hint.run_id)).toEqual(ids);
  });

  test("has a bound: what is more than that is left to the look", async () => {
    const { hints, batches } = openCarrier();
    for (const place of upTo(20_000)) hints.publish(event(`r${place}`));
    await turn();
    expect(batches[0]!.flatMap((text) => JSON.parse(text).slice(1))).toHaveLength(5000);
  });
});

describe("company", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTime(ms);

  test("a host says hello when it begins, at every period, and to whom it did not know", () => {
    const { hellos, arrive } = openCarrier(1000);
    expect(hellos).toHaveLength(1);
    pass(2000);
    expect(hellos).toHaveLength(3);
    arrive('["host-a"]');
    expect(hellos).toHaveLength(3);
    arrive('["host-b"]');
    expect(hellos).toHaveLength(4);
    arrive('["host-b",["claimable","t"]]');
    expect(hellos).toHaveLength(4);
  });

  test("to nobody nothing is sent, once others have had time to answer the first hello", async () => {
    const { hints, batches } = openCarrier(1000);
    hints.publish(event("early"));
    await turn();
    expect(batches).toHaveLength(1);
    const { hints: alone, batches: none } = openCarrier(1000);
    pass(1001);
    alone.publish(event("alone"));
    await turn();
    expect(none).toEqual([]);
  });

  test("back on a lost line a host says hello, and gives others time to answer", async () => {
    const { hints, batches, hellos, opened } = openCarrier(1000);
    pass(1500);
    const before = hellos.length;
    opened();
    expect(hellos).toHaveLength(before + 1);
    hints.publish(event("back"));
    await turn();
    expect(batches).toHaveLength(1);
    pass(1001);
    hints.publish(event("alone"));
    await turn();
    expect(batches).toHaveLength(1);
  });

  test("one that is heard is told, until it has been silent for three periods", async () => {
    const { hints, batches, arrive } = openCarrier(1000);
    pass(1500);
    arrive('["host-b"]');
    pass(2500);
    hints.publish(event("heard"));
    await turn();
    expect(batches).toEqual([['["host-a",["event","default","heard"]]']]);
    pass(2000);
    hints.publish(event("silent"));
    await turn();
    expect(batches).toHaveLength(1);
  });
});

test.each([
  "", "{", "null", "7", "{}", "[]", '["host-a",["event","default","r1"]]', '[7,["event","t","r"]]',
  '["b"]', '["b",null,7,"x",{},[]]', '["b",["event"],["event","t"],["event",7,"r"],["event","t",7]]',
  '["b",["unknown","t","r"],["__proto__","t","r"],["claimable"],["claimable",null]]',
])("%s says nothing to host-a", (payload) => {
  const { arrive, heard } = openCarrier();
  arrive(payload);
  expect(heard).toEqual([]);
});

test("what is new in a payload does not hide what is known", () => {
  const { arrive, heard } = openCarrier();
  arrive('["b",["later","t","r"],["ended","t","r","more"],["claimable","t"]]');
  expect(heard).toEqual([
    { kind: "ended", tenant_id: "t", run_id: "r" }, { kind: "claimable", tenant_id: "t" },
  ]);
});

describe("sharing", () => {
  const named = { tenant_id: "t", run_id: "r" };
  const facts = { ...named, plugin_identity: "a/b", claim_epoch: 1, claimed: true };

  function share() {
    const signals = createSignals((cause) => {
      throw cause;
    });
    const published: string[] = [];
    const heard: string[] = [];
    let tell = (_hint: Hint): void => undefined;
    const hints: Hints = {
      ...createNoHints(),
      publish: (hint) => void published.push(hint.kind),
      onHint(listener) {
        tell = listener;
        return () => undefined;
      },
    };
    signals.onEventStored(() => heard.push("event"));
    signals.onRunEnded(() => heard.push("ended"));
    signals.onRunClaimable(() => heard.push("claimable"));
    const stop = shareSignals({
      signals, hints,
      lookForCancels: () => heard.push("look for cancels"),
      lookForSteering: () => heard.push("look for steering"),
    });
    return { signals, published, heard, stop, tell: (hint: Hint) => tell(hint) };
  }

  test("what this host commits is published, each kind", () => {
    const { signals, published, stop } = share();
    const tellAll = () => {
      signals.eventStored(named);
      signals.runEnded(named);
      signals.runClaimable("t");
      signals.cancelRequested({ ...facts, status_reason: null });
      signals.steeringAvailable({ ...facts, pending: 1 } satisfies SteeringFact);
      signals.pluginChanged({ tenant_id: "t", plugin_identity: "a/b" });
    };
    tellAll();
    expect(published).toEqual(["event", "ended", "claimable", "cancel", "steering"]);
    stop();
    tellAll();
    expect(published).toHaveLength(5);
  });

  test("what others hint is a signal here, or a look, and is not published again", () => {
    const { published, heard, tell, signals } = share();
    for (const kind of ["event", "ended", "cancel", "steering"] as const) tell({ kind, ...named });
    tell({ kind: "claimable", tenant_id: "t" });
    expect(heard).toEqual([
      "event", "ended", "look for cancels", "look for steering", "claimable",
    ]);
    expect(published).toEqual([]);
    signals.eventStored(named);
    expect(published).toEqual(["event"]);
  });
});

describe("over Postgres", () => {
  const clone = useClone();
  const databases: Database[] = [];
  const log = { warn: () => undefined, debug: () => undefined };
  beforeAll(() => {
    for (let made = 0; made < 2; made += 1) {
      databases.push(createDatabase({
        url: clone().url, prepare: true, statement_timeout_ms: 2000, pool_size: 1, log,
      }));
    }
  });
  afterAll(() => Promise.all(databases.map((database) => database.close())));

  function openHost(place: number) {
    const hints = createHints({
      open: (onNotice, onListening) =>
        databases[place]!.listen({ channel: "hints_test", onNotice, onListening }),
      host_id: `host-${place}`,
      pause_ms: 1,
      hello_ms: 200,
    });
    const heard = new Set<string>();
    hints.onHint((hint) => heard.add("run_id" in hint ? hint.run_id : hint.kind));
    return { hints, heard };
  }

  /** Publishes until the other one hears: the first ones may come before it listens. */
  async function hears(from: Hints, to: { heard: Set<string> }, name: string): Promise<number> {
    const began_ms = performance.now();
    for (let tried = 0; !to.heard.has(name); tried += 1) {
      if (tried > 400) throw new Error(`${name} was not heard`);
      from.publish(event(name));
      await turn();
    }
    return performance.now() - began_ms;
  }

  test("the others hear, whoever published does not, and a lost connection comes back", async () => {
    const [a, b] = [openHost(0), openHost(1)];
    await hears(a.hints, b, "one");
    await hears(b.hints, a, "two");
    expect(await hears(a.hints, b, "three")).toBeLessThan(500);
    expect([...a.heard]).toEqual(["two"]);
    const [{ ended }] = await clone().sql`select count(pg_terminate_backend(pid))::int as ended
      from pg_stat_activity where application_name = 'runhost hints'
        and datname = current_database()` as [{ ended: number }];
    expect(ended).toBe(2);
    await hears(a.hints, b, "four");
    await hears(b.hints, a, "five");
    await a.hints.stop();
    b.hints.publish(event("six"));
    await turn();
    await b.hints.stop();
    expect(a.heard.has("six")).toBe(false);
    await turn();
    const [{ left }] = await clone().sql`select count(*)::int as left from pg_stat_activity
      where application_name = 'runhost hints' and datname = current_database()` as
      [{ left: number }];
    expect(left).toBe(0);
  });

  test("a database that is not there costs nothing, and is found when it comes", async () => {
    const down = createDatabase({
      url: "postgres://nobody@127.0.0.1:1/none", prepare: true, statement_timeout_ms: 500,
      pool_size: 1, log,
    });
    const hints = createHints({
      open: (onNotice, onListening) =>
        down.listen({ channel: "hints_test", onNotice, onListening }),
      host_id: "c",
      pause_ms: 1, hello_ms: 100,
    });
    for (const place of upTo(100)) {
      hints.publish(event(`r${place}`));
      if (place % 10 === 0) await turn();
    }
    await hints.stop();
    await down.close();
  });
});
