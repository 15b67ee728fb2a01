// One peer, from its first frame to its close: proves an identity once, starts each call in its
// turn, bounds what is in flight and what waits to be written, and notices a peer that is gone.
// It sees no socket (Transport) and judges no call (Dispatcher). Nothing it starts ever rejects.

import { setMaxListeners } from "node:events";
import { Refusal } from "../contract/errors.js";
import type { Dispatcher } from "../dispatch/dispatcher.js";
import { readFrame, type CheckedRequest, type Element } from "./frame.js";
import { createLiveness, type Liveness } from "./liveness.js";
import { createOrder, type Order } from "./order.js";
import { createOutbox, type Outbox } from "./outbox.js";
import type {
  Feed, Identities, Leave, NotedClaim, Principal, Proof, ServedConnection, Subscriber, Transport,
  WireBounds, WireLog,
} from "./parts.js";
import type { Rpc } from "./rpc.js";

export interface ConnectionParts {
  transport: Transport;
  rpc: Rpc;
  dispatcher: Dispatcher;
  identities: Identities;
  feed: Feed;
  bounds: WireBounds;
  log: WireLog;
  /** Told of every identity that the connection counts as, and of every claim made over it. */
  onIdentity(proof: Proof): void;
  onClaim(claim: NotedClaim): void;
}

interface Turn {
  before: Promise<unknown> | null;
  handOn(): void;
  takeEffect(): void;
  end(): void;
}

const connectMethod = "plugin_connect";

export class Connection implements ServedConnection {
  readonly #parts: ConnectionParts;
  readonly #outbox: Outbox;
  readonly #subscriber: Subscriber;
  readonly #liveness: Liveness;
  /** These are made when the first call needs them: most connections of a fleet are idle. */
  #runs: Order | null = null;
  #logins: Order | null = null;
  #abort: AbortController | null = null;
  readonly #connectTimer: NodeJS.Timeout;
  /** Settles when the transport has closed, whoever began it. */
  readonly gone: Promise<void>;
  #markGone = (): void => undefined;
  #proof: Proof | null = null;
  #failures = 0;
  #frames = 0;
  #in_flight = 0;
  #leaving: Refusal | null = null;
  readonly #idleListeners = new Set<() => void>();
  #closing = false;

  constructor(parts: ConnectionParts) {
    const { transport, bounds } = parts;
    this.#parts = parts;
    this.gone = new Promise((resolve) => {
      this.#markGone = resolve;
    });
    this.#outbox = createOutbox({
      write: (text, flushed) => transport.send(text, flushed),
      pause: () => transport.pause(),
      resume: () => transport.resume(),
      onStuck: () => this.close(1013, "answers are not being read"),
      pause_bytes: bounds.outgoing_pause_bytes,
      bytes_max: bounds.outgoing_bytes_max,
      stall_ms: bounds.stall_seconds * 1000,
    });
    this.#subscriber = parts.feed.attach(this.#outbox);
    this.#outbox.onFlushed(() => this.#subscriber.flushed());
    this.#outbox.onEmpty(() => this.#noteIdle());
    this.#liveness = createLiveness({
      received: () => transport.received(),
      isPaused: () => this.#outbox.paused,
      ping: () => transport.ping(),
      onDead: () => transport.terminate(),
      period_ms: bounds.ping_seconds * 1000,
      misses_max: bounds.ping_misses,
    });
    this.#connectTimer = setTimeout(
      () => this.close(4401, "no identity was proved in time"),
      bounds.connect_seconds * 1000,
    );
  }

  get principal(): Principal | null {
    return this.#proof?.principal ?? null;
  }

  /** Which key proved the identity; null also for the built-in administrator. */
  get key_id(): string | null {
    return this.#proof?.key_id ?? null;
  }

  permissions(principal: Principal): readonly string[] {
    return this.#parts.identities.permissions(principal);
  }

  noteClaim(claim: NotedClaim): void {
    this.#parts.onClaim(claim);
  }

  subscribe(wanted: Parameters<Subscriber["subscribe"]>[0]) {
    return this.#subscriber.subscribe(wanted);
  }

  unsubscribe(subscription_id: string): boolean {
    return this.#subscriber.unsubscribe(subscription_id);
  }

  calledAs(principal: Principal): void {
    this.#parts.onIdentity({ principal, key_id: null });
  }

  async login(plugin_token: string): Promise<Principal> {
    if (this.#proof !== null) throw new Error("login on a connection that has an identity");
    if (this.#failures >= this.#parts.bounds.connect_failures) throw unproved();
    const { identities, transport } = this.#parts;
    const identified = identities.identify(plugin_token, transport.address);
    const proof = await identified.catch((thrown: unknown) => {
      // A database that does not answer is not the peer's failure.
      if (thrown instanceof Refusal && thrown.code === "UNAUTHENTICATED") this.#failures += 1;
      throw thrown;
    });
    if (this.#closing) throw unproved();
    this.prove(proof);
    return proof.principal;
  }

  /** The identity is proved, in-band or by the upgrade request. */
  prove(proof: Proof): void {
    clearTimeout(this.#connectTimer);
    this.#proof = proof;
    this.#parts.onIdentity(proof);
  }

  receive(text: string): void {
    if (!this.#closing) void this.#answerFrame(text);
  }

  /** Queues a notification; a peer that reads too slowly is closed, never waited for. */
  notify(method: string, params: Record<string, unknown>): void {
    if (!this.#closing) this.#outbox.send(this.#parts.rpc.notification(method, params));
  }

  /** Takes no more calls and closes when those in flight are answered; settles when it is gone. */
  async leave({ code, reason, refusal, cut_ms, wait_ms }: Leave): Promise<void> {
    this.#leaving ??= refusal;
    this.#subscriber.end();
    const cut = setTimeout(() => this.#takeAbort().abort(refusal), cut_ms);
    await new Promise<void>((resolve) => {
      const end = setTimeout(resolve, wait_ms);
      this.#idleListeners.add(() => {
        clearTimeout(end);
        resolve();
      });
      this.#noteIdle();
    });
    clearTimeout(cut);
    this.close(code, reason);
    return this.gone;
  }

  /** Sends the close frame behind what is already written, and cuts a peer that ignores it. */
  close(code: number, reason: string): void {
    if (this.#closing) return;
    const { transport, bounds } = this.#parts;
    this.#stop();
    transport.resume();
    transport.close(code, reason, this.#proof === null);
    const cut = setTimeout(() => transport.terminate(), bounds.close_seconds * 1000);
    void this.gone.then(() => clearTimeout(cut));
  }

  /** To be called when the transport has closed. */
  finish(): void {
    this.#stop();
    this.#markGone();
  }

  #stop(): void {
    this.#closing = true;
    clearTimeout(this.#connectTimer);
    this.#liveness.stop();
    this.#subscriber.end();
    this.#outbox.stop();
    this.#abort?.abort(new Refusal("UNAVAILABLE"));
    this.#noteIdle();
  }

  #takeAbort(): AbortController {
    if (this.#abort !== null) return this.#abort;
    this.#abort = new AbortController();
    // Every waiting call listens; the bound on calls in flight bounds the listeners.
    setMaxListeners(0, this.#abort.signal);
    if (this.#closing) this.#abort.abort(new Refusal("UNAVAILABLE"));
    return this.#abort;
  }

  #noteIdle(): void {
    if (!this.#closing && (this.#frames > 0 || !this.#outbox.empty)) return;
    for (const listener of this.#idleListeners) listener();
    this.#idleListeners.clear();
  }

  async #answerFrame(text: string): Promise<void> {
    this.#frames += 1;
    const after: (() => void)[] = [];
    try {
      const frame = readFrame(text, this.#parts.bounds);
      const answer =
        frame.kind === "batch"
          ? await this.#serveBatch(frame.elements, after)
          : await this.#serve(frame.element, after);
      if (answer !== null) this.#outbox.send(answer);
      for (const work of this.#closing ? [] : after) work();
    } catch (cause) {
      this.#parts.log.error({ err: cause }, "a frame could not be answered");
      this.close(1011, "internal error");
    }
    this.#frames -= 1;
    const failures_max = this.#parts.bounds.connect_failures;
    if (this.#failures >= failures_max) this.close(4401, "too many failures");
    this.#noteIdle();
  }

  async #serveBatch(
    elements: readonly Element[],
    after: (() => void)[],
  ): Promise<string | null> {
    const answers = await Promise.all(elements.map((element) => this.#serve(element, after)));
    const given = answers.filter((answer) => answer !== null);
    return given.length === 0 ? null : `[${given.join(",")}]`;
  }

  async #serve(element: Element, after: (() => void)[]): Promise<string | null> {
    const { rpc, bounds } = this.#parts;
    if (element.kind === "response") return null;
    if (element.kind === "invalid") return rpc.refusal(element.id, element.refusal);
    const limit = bounds.max_in_flight;
    const overloaded = this.#in_flight >= limit ? new Refusal("OVERLOADED", { limit }) : null;
    const refusal = this.#leaving ?? overloaded;
    if (refusal !== null) return element.id === undefined ? null : rpc.refusal(element.id, refusal);
    this.#in_flight += 1;
    const turn = this.#takeTurn(element);
    try {
      return await rpc.serve(element, () => this.#start(element, turn, after));
    } finally {
      turn.end();
      this.#in_flight -= 1;
    }
  }

  async #start(
    { id, method, params, inspect }: CheckedRequest,
    turn: Turn,
    after: (() => void)[],
  ): Promise<unknown> {
    if (turn.before !== null) await turn.before;
    const { signal } = this.#takeAbort();
    const afterAnswer = (work: () => void): void => void after.push(work);
    const { handOn } = turn;
    const input = { id, method, params, inspect, connection: this, signal, afterAnswer, handOn };
    const { effect, answer } = this.#parts.dispatcher.call(input);
    void effect.then(turn.takeEffect, turn.takeEffect);
    return answer;
  }

  /**
   * Taken on arrival. Calls that write to one run follow one another; while no identity is proved,
   * all follow the plugin_connect that came before them, so that a peer need not wait for it.
   */
  #takeTurn({ method, params }: CheckedRequest): Turn {
    const keys = this.#parts.dispatcher.orderKeys(method, params);
    const runs = keys.map((key) => (this.#runs ??= createOrder()).take(key, method));
    const takeEffect = (): void => runs.forEach((run) => run.giveWay());
    const connects = this.#proof === null && method === connectMethod;
    const login = connects ? (this.#logins ??= createOrder()).take(connectMethod, "") : null;
    const tail = login !== null ? login.before : (this.#logins?.tail(connectMethod) ?? null);
    const waits = [...runs.map(({ before }) => before), tail].filter((wait) => wait !== null);
    return {
      before: waits.length === 0 ? null : Promise.all(waits),
      handOn: () => runs.forEach((run) => run.handOn()),
      takeEffect,
      end() {
        takeEffect();
        login?.giveWay();
      },
    };
  }
}

const unproved = (): Refusal => new Refusal("UNAUTHENTICATED");
