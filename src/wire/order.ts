// Calls that write to one run take effect in the order in which they arrived on a connection. A
// place is taken on arrival, not when the call starts; holding none costs nothing, and a key is
// forgotten with its last place.

export interface Place {
  /** Settles when those before have given way; null when there are none. */
  before: Promise<void> | null;
  giveWay(): void;
}

export interface Order {
  take(key: string): Place;
  /** Settles when all places taken so far have been given back; null when there are none. */
  tail(key: string): Promise<void> | null;
}

export function createOrder(): Order {
  const tails = new Map<string, Promise<void>>();
  return {
    tail: (key) => tails.get(key) ?? null,
    take(key) {
      const before = tails.get(key) ?? null;
      let finish = (): void => undefined;
      const own = new Promise<void>((resolve) => {
        finish = resolve;
      });
      // Chained, so that a place given back early does not let the next one overtake.
      const tail = before === null ? own : before.then(() => own);
      tails.set(key, tail);
      return {
        before,
        giveWay() {
          finish();
          if (tails.get(key) === tail) void tail.then(() => forget(key, tail));
        },
      };
    },
  };

  function forget(key: string, tail: Promise<void>): void {
    if (tails.get(key) === tail) tails.delete(key);
  }
}
