// Notices between processes on one channel, on a connection of its own.

import { cutOff, stateOf, unavailable, withDeadline, type Connections } from "./deadline.js";

export interface Listening {
  channel: string;
  /** Also gets what this process has sent. */
  onNotice(payload: string): void;
  /** A connection listens, the first one or one in place of another that was lost. */
  onListening(): void;
}

/** Whoever uses them has another way to learn the same: one that is sent may never arrive. */
export interface Notices {
  /** One statement; rejects when they were not taken, and none is kept. */
  send(payloads: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** One connection that hears and sends, until it ends. */
export interface Channel extends Connections {
  listen(): PromiseLike<unknown>;
  notify(payloads: readonly string[]): PromiseLike<unknown>;
}

export interface NoticesParts {
  open(events: { onNotice(payload: string): void; onClosed(): void }): Channel;
  statement_timeout_ms: number;
  log: { debug(fields: Record<string, unknown>, message: string): void };
}

/** How often a listener that seems well says LISTEN again, and one that is not tries anew. */
const relisten_ms = 10_000;
const reconnect_ms = 250;

/** LISTEN is repeated for as long as it lasts: it costs nothing where it already holds, and shows
    a connection that broke unseen. A connection that failed is not used again. */
export function openNotices(parts: NoticesParts, wanted: Listening): Notices {
  const { onNotice, onListening } = wanted;
  let open: Channel | null = null;
  let listening: Channel | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function discard(used: Channel): void {
    if (used !== open) return;
    open = null;
    void cutOff(used);
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(listen, reconnect_ms);
  }

  async function run(used: Channel, statement: PromiseLike<unknown>): Promise<void> {
    try {
      const outcome = await withDeadline(statement, parts.statement_timeout_ms);
      if (outcome === "late") throw unavailable("the database did not answer in time");
    } catch (thrown) {
      discard(used);
      throw thrown;
    }
  }

  async function listen(): Promise<void> {
    const used: Channel = (open ??= parts.open({
      onNotice: (payload) => stopped || onNotice(payload),
      onClosed: () => discard(used),
    }));
    await run(used, used.listen()).then(
      () => {
        if (used !== open) return;
        timer = setTimeout(listen, relisten_ms);
        if (used === listening) return;
        listening = used;
        onListening();
      },
      (cause: unknown) => parts.log.debug({ state: stateOf(cause) }, "cannot listen for hints"),
    );
  }

  void listen();
  return {
    async send(payloads) {
      if (open === null) throw unavailable("the connection for hints is down");
      await run(open, open.notify(payloads));
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      if (open !== null) discard(open);
    },
  };
}
