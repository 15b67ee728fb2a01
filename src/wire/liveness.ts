// Notices a peer that is gone: a ping each period, and a miss for each period that brought no byte
// after one. Whatever arrives counts, so a peer in the midst of a long frame is alive. While the
// peer is not being read, silence says nothing and is not counted.

export interface LivenessParts {
  /** Bytes read so far. */
  received(): number;
  isPaused(): boolean;
  ping(): void;
  onDead(): void;
  period_ms: number;
  misses_max: number;
}

export interface Liveness {
  stop(): void;
}

export function createLiveness(parts: LivenessParts): Liveness {
  let misses = 0;
  let pinged = false;
  let seen = parts.received();
  const timer = setInterval(() => {
    if (parts.isPaused()) {
      pinged = false;
      return;
    }
    const received = parts.received();
    misses = pinged && received === seen ? misses + 1 : 0;
    seen = received;
    if (misses >= parts.misses_max) {
      clearInterval(timer);
      parts.onDead();
      return;
    }
    pinged = true;
    parts.ping();
  }, parts.period_ms);
  return { stop: () => clearInterval(timer) };
}
