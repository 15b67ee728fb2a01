// Signals of this host become hints for the others, and hints of the others signals here; those are
// not passed on again. Of a cancel or of steering a hint says only where: the watches look it up.

import type { Hints } from "./hints.js";
import type { RunNamed, Signals, Unsubscribe } from "./signals.js";

export interface SharingParts {
  signals: Signals;
  hints: Hints;
  /** Another host took a cancel request, or steering. */
  lookForCancels(): void;
  lookForSteering(): void;
}

export function shareSignals(parts: SharingParts): Unsubscribe {
  const { signals, hints } = parts;
  let hearing = false;
  const share = (kind: "event" | "ended" | "cancel" | "steering") =>
    ({ tenant_id, run_id }: RunNamed): void => {
      if (!hearing) hints.publish({ kind, tenant_id, run_id });
    };
  const ends = [
    signals.onEventStored(share("event")),
    signals.onRunEnded(share("ended")),
    signals.onCancelRequested(share("cancel")),
    signals.onSteeringAvailable(share("steering")),
    signals.onRunClaimable((tenant_id) => {
      if (!hearing) hints.publish({ kind: "claimable", tenant_id });
    }),
    hints.onHint((hint) => {
      // Signals are told in the same turn, so what is heard meanwhile comes from here.
      hearing = true;
      if (hint.kind === "event") signals.eventStored(hint);
      else if (hint.kind === "ended") signals.runEnded(hint);
      else if (hint.kind === "claimable") signals.runClaimable(hint.tenant_id);
      else if (hint.kind === "cancel") parts.lookForCancels();
      else parts.lookForSteering();
      hearing = false;
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}
