// Calls that write to one run take effect in the order in which they arrived on a connection. A
// place is taken on arrival, not when the call starts; holding none costs nothing, and a key is
// forgotten with its last place. Calls of one kind wait only until the one before was handed on to
// what keeps their order from there; all others wait until it took effect.

export interface Place {
  /** Settles when those before have given way; null when there are none. */
  before: Promise<void> | null;
  /** The next of this kind may start: it cannot overtake any more. */
  handOn(): void;
  giveWay(): void;
}

export interface Order {
  take(key: string, kind: string): Place;
  /** Settles when all places taken so far have been given back; null when there are none. */
  tail(key: string): Promise<void> | null;
}

/** Chained, so that a place given back early does not let the next one overtake. */
interface Tail {
  kind: string;
  handedOn: Promise<void>;
  done: Promise<void>;
}

export function createOrder(): Order {
  const tails = new Map<string, Tail>();
  return {
    tail: (key) => tails.get(key)?.done ?? null,
    take(key, kind) {
      const last = tails.get(key);
      const before = last === undefined ? null : last.kind === kind ? last.handedOn : last.done;
      const passing = openGate();
      const leaving = openGate();
      const tail = {
        kind,
        handedOn: before === null ? passing.opened : before.then(() => passing.opened),
        done: last === undefined ? leaving.opened : last.done.then(() => leaving.opened),
      };
      tails.set(key, tail);
      return {
        before,
        handOn: passing.open,
        giveWay() {
          passing.open();
          leaving.open();
          if (tails.get(key) === tail) void tail.done.then(() => forget(key, tail));
        },
      };
    },
  };

  function forget(key: string, tail: Tail): void {
    if (tails.get(key) === tail) tails.delete(key);
  }
}

function openGate(): { opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
