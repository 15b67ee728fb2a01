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

type Unsubscribe = () => void;

export interface Signals {
  runClaimable(tenant_id: string): void;
  runEnded(named: RunNamed): void;
  cancelRequested(fact: CancelFact): void;
  pluginChanged(named: PluginNamed): void;
  onRunClaimable(listener: (tenant_id: string) => void): Unsubscribe;
  onRunEnded(listener: (named: RunNamed) => void): Unsubscribe;
  onCancelRequested(listener: (fact: CancelFact) => void): Unsubscribe;
  onPluginChanged(listener: (named: PluginNamed) => void): Unsubscribe;
}

export function createSignals(report: (cause: unknown) => void): Signals {
  const claimable = createSignal<string>(report);
  const ended = createSignal<RunNamed>(report);
  const cancel = createSignal<CancelFact>(report);
  const plugin = createSignal<PluginNamed>(report);
  return {
    runClaimable: claimable.tell,
    runEnded: ended.tell,
    cancelRequested: cancel.tell,
    pluginChanged: plugin.tell,
    onRunClaimable: claimable.listen,
    onRunEnded: ended.listen,
    onCancelRequested: cancel.listen,
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
