/**
 * Starts a server again that ended by itself. Tries a few times with growing pauses; a server that
 * does not last counts as a failed try. When all have failed it says so, once, and leaves it there.
 */
import { setTimeout as sleep } from "node:timers/promises";

export interface Kept {
  pid: number;
  /** Told once, when the server ends; returns what takes the listener back. */
  onCrash(report: (how: string) => void): () => void;
}

export interface KeepUpParts<Server extends Kept> {
  first: Server;
  /** Brings it up again, or rejects with the reason. */
  again(): Promise<Server>;
  /** Ends a server that nobody wants any more. */
  stop(server: Server): Promise<void>;
  onEnd(server: Server, how: string): void;
  onLost(cause: Error): void;
  /** Pauses before each try. */
  pauses_ms?: readonly number[];
  /** A server that lived this long has all tries before it again. */
  lasting_ms?: number;
}

const pauses_default = [0, 500, 1000, 2000, 4000];
const lasting_default = 60_000;

export function keepUp<Server extends Kept>(parts: KeepUpParts<Server>) {
  const { pauses_ms = pauses_default, lasting_ms = lasting_default } = parts;
  let current = parts.first;
  let began_ms = performance.now();
  let tries = 0;
  let returning: Promise<void> = Promise.resolve();
  let unwatch = (): void => undefined;
  const stopped = new AbortController();

  function watch(): void {
    began_ms = performance.now();
    unwatch = current.onCrash((how) => {
      parts.onEnd(current, how);
      returning = bringBack();
    });
  }

  async function bringBack(): Promise<void> {
    if (performance.now() - began_ms > lasting_ms) tries = 0;
    let reason = "it ended again and again";
    while (tries < pauses_ms.length) {
      const { signal } = stopped;
      await sleep(pauses_ms[tries], undefined, { signal }).catch(() => undefined);
      if (stopped.signal.aborted) return;
      tries += 1;
      try {
        current = await parts.again();
        return watch();
      } catch (cause) {
        reason = cause instanceof Error ? cause.message : String(cause);
      }
    }
    parts.onLost(new Error(`Postgres ended and did not come back: ${reason}`));
  }

  watch();
  return {
    get pid() {
      return current.pid;
    },
    /** Waits for a try that is under way, and stops what it brought. */
    async stop(): Promise<void> {
      stopped.abort();
      unwatch();
      await returning;
      unwatch();
      await parts.stop(current);
    },
  };
}
