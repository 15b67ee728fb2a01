// What has just been committed on this host, told in-process: the ledger says it, wire, directory
// and waiting calls listen. A signal is a hint, never the truth; a listener that throws is reported
// and never disturbs the teller or the other listeners. main makes one and hands it around.

export interface RunNamed {
  tenant_id: string;
  run_id: string;
}

export interface PluginNamed {
  tenant_id: string;
  plugin_identity: string;
}

/** A cancel was requested; `claimed` when claim number `claim_epoch` is at work on the run. */
export interface CancelFact extends RunNamed {
  status_reason: string | null;
  plugin_identity: string;
  claim_epoch: number;
  claimed: boolean;
}

/** Steering waits for a live run: `pending` items could be pulled. */
export interface SteeringFact extends RunNamed {
  pending: number;
  plugin_identity: string;
  claim_epoch: number;
  claimed: boolean;
  /** One mark per queued item and delivery, where known: what was told by mark is told once. */
  marks?: readonly string[];
}

export type Unsubscribe = () => void;

export interface Signals {
  runClaimable(tenant_id: string): void;
  runEnded(named: RunNamed): void;
  eventStored(named: RunNamed): void;
  cancelRequested(fact: CancelFact): void;
  steeringAvailable(fact: SteeringFact): void;
  pluginChanged(named: PluginNamed): void;
  onRunClaimable(listener: (tenant_id: string) => void): Unsubscribe;
  onRunEnded(listener: (named: RunNamed) => void): Unsubscribe;
  onEventStored(listener: (named: RunNamed) => void): Unsubscribe;
  onCancelRequested(listener: (fact: CancelFact) => void): Unsubscribe;
  onSteeringAvailable(listener: (fact: SteeringFact) => void): Unsubscribe;
  onPluginChanged(listener: (named: PluginNamed) => void): Unsubscribe;
}

export function createSignals(report: (cause: unknown) => void): Signals {
  const claimable = createSignal<string>(report);
  const ended = createSignal<RunNamed>(report);
  const stored = createSignal<RunNamed>(report);
  const cancel = createSignal<CancelFact>(report);
  const steering = createSignal<SteeringFact>(report);
  const plugin = createSignal<PluginNamed>(report);
  return {
    runClaimable: claimable.tell,
    runEnded: ended.tell,
    eventStored: stored.tell,
    cancelRequested: cancel.tell,
    steeringAvailable: steering.tell,
    pluginChanged: plugin.tell,
    onRunClaimable: claimable.listen,
    onRunEnded: ended.listen,
    onEventStored: stored.listen,
    onCancelRequested: cancel.listen,
    onSteeringAvailable: steering.listen,
    onPluginChanged: plugin.listen,
  };
}

function createSignal<Fact>(report: (cause: unknown) => void) {
  const listeners = new Set<{ hear: (fact: Fact) => void }>();
  return {
    tell(fact: Fact): void {
      for (const listener of [...listeners]) {
        if (!listeners.has(listener)) continue;
        try {
          listener.hear(fact);
        } catch (cause) {
          report(cause);
        }
      }
    },
    listen(hear: (fact: Fact) => void): Unsubscribe {
      const listener = { hear };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
