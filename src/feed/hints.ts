// Hints between hosts: ids and kinds of what has just been committed, never the thing itself. They
// are gathered and sent a batch at a time, one statement under way, and dropped when that fails:
// whoever waits for one also looks by itself within a second. A host does not hear its own, and
// sends none while it is the only one.

import { keepCompany } from "./company.js";
import type { Unsubscribe } from "./signals.js";

const runKinds = ["event", "ended", "cancel", "steering"] as const;

export type Hint =
  | { kind: (typeof runKinds)[number]; tenant_id: string; run_id: string }
  | { kind: "claimable"; tenant_id: string };

export interface Hints {
  publish(hint: Hint): void;
  onHint(listener: (hint: Hint) => void): Unsubscribe;
  stop(): Promise<void>;
}

/** What carries texts between hosts, at most once and to everybody. */
export interface Carrier {
  send(payloads: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

export interface HintsParts {
  /** `onOpened` is called when what comes is heard from now on: at first, and after a loss. */
  open(onPayload: (payload: string) => void, onOpened: () => void): Carrier;
  host_id: string;
  /** Between one batch and the next. */
  pause_ms: number;
  /** Between one sign of life and the next. */
  hello_ms: number;
}

/** NOTIFY takes less than 8,000 bytes. */
const payload_bytes_max = 7900;
/** More than a fleet can use: the rest is found by looking. */
const waiting_max = 5000;

/** Hosts that look for themselves. */
export const createNoHints = (): Hints => ({
  publish: () => undefined,
  onHint: () => () => undefined,
  stop: async () => undefined,
});

export function createHints({ open, host_id, pause_ms, hello_ms }: HintsParts): Hints {
  const listeners = new Set<(hint: Hint) => void>();
  const waiting = new Set<string>();
  let sending = false;
  let stopped = false;
  const carrier = open((payload) => {
    const read = readPayload(payload);
    if (read === null || read.host_id === host_id) return;
    company.hear(read.host_id);
    for (const hint of read.hints) for (const listener of listeners) listener(hint);
  }, () => company.begin());
  const company = keepCompany({
    period_ms: hello_ms,
    sayHello: () => void carrier.send([JSON.stringify([host_id])]).catch(() => undefined),
  });

  async function send(): Promise<void> {
    sending = true;
    // What is told in the same turn goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.size > 0 && !stopped) {
      const payloads = packPayloads([...waiting], host_id);
      waiting.clear();
      await carrier.send(payloads).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, pause_ms));
    }
    sending = false;
  }

  return {
    publish(hint) {
      if (stopped || waiting.size >= waiting_max || company.isAlone()) return;
      waiting.add(JSON.stringify([hint.kind, hint.tenant_id, ...runOf(hint)]));
      if (!sending) void send();
    },
    onHint(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async stop() {
      stopped = true;
      company.stop();
      await carrier.stop();
    },
  };
}

const runOf = (hint: Hint): string[] => (hint.kind === "claimable" ? [] : [hint.run_id]);

/** Each is the JSON `[host_id, hint, …]`; the hints are JSON already. */
function packPayloads(texts: readonly string[], host_id: string): string[] {
  const start = `[${JSON.stringify(host_id)}`;
  const packed: string[] = [];
  let open = start;
  for (const text of texts) {
    const next = `${open},${text}`;
    const fits = Buffer.byteLength(next) < payload_bytes_max;
    if (!fits) packed.push(`${open}]`);
    open = fits ? next : `${start},${text}`;
  }
  return [...packed, `${open}]`];
}

/** What is not understood is somebody else's: nothing depends on it. */
function readPayload(payload: string): { host_id: string; hints: Hint[] } | null {
  let read: unknown;
  try {
    read = JSON.parse(payload);
  } catch {
    return null;
  }
  if (!Array.isArray(read) || typeof read[0] !== "string") return null;
  const [host_id, ...told] = read as [string, ...unknown[]];
  return { host_id, hints: told.flatMap((hint) => readHint(hint) ?? []) };
}

function readHint(told: unknown): Hint | null {
  if (!Array.isArray(told)) return null;
  const [kind, tenant_id, run_id] = told as unknown[];
  if (typeof tenant_id !== "string") return null;
  if (kind === "claimable") return { kind, tenant_id };
  const known = runKinds.find((name) => name === kind);
  return known === undefined || typeof run_id !== "string"
    ? null
    : { kind: known, tenant_id, run_id };
}
