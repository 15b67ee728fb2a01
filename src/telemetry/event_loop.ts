// How late the event loop was, over a window of at least ten seconds: whoever reads within one
// sees the same window. It takes a timer until it is stopped.

import { monitorEventLoopDelay } from "node:perf_hooks";

/** Seconds; 1 is the maximum. */
export type EventLoopLag = readonly { quantile: "0.5" | "0.99" | "1"; seconds: number }[];

export interface EventLoopWatch {
  read(): EventLoopLag;
  stop(): void;
}

const window_ms = 10_000;
const resolution_ms = 10;

export function watchEventLoop(): EventLoopWatch {
  const delays = monitorEventLoopDelay({ resolution: resolution_ms });
  delays.enable();
  let began_ms = performance.now();
  // What is recorded is the distance of two ticks, of which one period is due.
  const late = (nanoseconds: number): number =>
    Math.max(0, nanoseconds / 1e9 - resolution_ms / 1000);
  return {
    read() {
      const lag = [
        { quantile: "0.5", seconds: late(delays.percentile(50)) },
        { quantile: "0.99", seconds: late(delays.percentile(99)) },
        { quantile: "1", seconds: late(delays.max) },
      ] as const;
      if (performance.now() - began_ms >= window_ms) {
        delays.reset();
        began_ms = performance.now();
      }
      return lag;
    },
    stop: () => void delays.disable(),
  };
}
