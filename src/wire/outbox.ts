// Everything that waits to be written to one peer, counted in bytes. A peer that takes slowly is
// read no further until it has caught up; one that takes nothing for a while, or lets more pile up
// than the bound, is reported as stuck, once. So what a peer can make the host keep is bounded.

export interface OutboxParts {
  /** Hands one text frame over; `flushed` is called when it has left the process. */
  write(text: string, flushed: () => void): void;
  pause(): void;
  resume(): void;
  onStuck(): void;
  pause_bytes: number;
  bytes_max: number;
  stall_ms: number;
}

export interface Outbox {
  send(text: string): void;
  /** The peer is not read at present. */
  readonly paused: boolean;
  readonly empty: boolean;
  readonly waiting_bytes: number;
  /** Called whenever a frame has left. */
  onFlushed(listener: () => void): void;
  /** Called whenever the last waiting frame has left. */
  onEmpty(listener: () => void): void;
  /** Nothing is taken or reported any more. */
  stop(): void;
}

export function createOutbox(parts: OutboxParts): Outbox {
  let waiting_bytes = 0;
  let paused = false;
  let stopped = false;
  let stall: NodeJS.Timeout | null = null;
  let whenFlushed = (): void => undefined;
  let whenEmpty = (): void => undefined;

  function stop(): void {
    stopped = true;
    if (stall !== null) clearTimeout(stall);
    stall = null;
  }

  function reportStuck(): void {
    if (stopped) return;
    stop();
    parts.onStuck();
  }

  /** Restarted by every frame that leaves. */
  function watchStall(): void {
    if (stall !== null) clearTimeout(stall);
    stall = paused && !stopped ? setTimeout(reportStuck, parts.stall_ms) : null;
  }

  function noteFlushed(bytes: number): void {
    waiting_bytes -= bytes;
    if (stopped) return;
    if (paused && waiting_bytes <= parts.pause_bytes / 2) {
      paused = false;
      parts.resume();
    }
    watchStall();
    whenFlushed();
    if (waiting_bytes === 0) whenEmpty();
  }

  return {
    send(text) {
      if (stopped) return;
      const bytes = Buffer.byteLength(text);
      // A single frame may exceed the bound: it is what one call or one batch asked for.
      if (waiting_bytes > 0 && waiting_bytes + bytes > parts.bytes_max) return reportStuck();
      waiting_bytes += bytes;
      parts.write(text, () => noteFlushed(bytes));
      if (paused || waiting_bytes <= parts.pause_bytes) return;
      paused = true;
      parts.pause();
      watchStall();
    },
    get paused() {
      return paused;
    },
    get empty() {
      return waiting_bytes === 0;
    },
    get waiting_bytes() {
      return waiting_bytes;
    },
    onFlushed(listener) {
      whenFlushed = listener;
    },
    onEmpty(listener) {
      whenEmpty = listener;
    },
    stop,
  };
}
