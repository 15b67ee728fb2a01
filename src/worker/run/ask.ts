// `ctx.ask`: asks a person and waits for the outcome. The interaction's record is the truth; hints
// only bring the next look forward. A question that an earlier attempt of this run asked under the
// same interaction_id is not asked twice: its outcome is awaited, or taken as it is.

import type { Interaction } from "../../client/client.js";
import { isRefusal } from "../repeat.js";
import type { Bell } from "./bell.js";
import { interactionEvent, type EmitterParts, type InteractionRequest } from "./emitter.js";

/** How a question ended. `interaction` is its whole record. */
export type InteractionOutcome =
  | {
    status: "submitted";
    /** Null where the request had no actions. */
    action_id: string | null;
    values: Record<string, any>;
    actor_id: string | null;
    interaction: Interaction;
  }
  | { status: "cancelled"; status_reason: string | null; interaction: Interaction }
  | { status: "expired"; interaction: Interaction };

export interface AskParts extends Pick<EmitterParts, "pushNew" | "makeId"> {
  read(interaction_id: string): Promise<Interaction>;
  /** Interactions that are waited for, or were: `ctx.steering()` passes over them. */
  asked: Set<string>;
  bell: Bell;
  stopping: AbortSignal;
  readHostClock(): number;
  poll_seconds: number;
}

/** The reckoned clock of the host may be a second off. */
const clock_leeway_seconds = 2;

export async function ask(
  parts: AskParts,
  request: InteractionRequest,
): Promise<InteractionOutcome> {
  const { bell, stopping } = parts;
  const interaction_id = request.interaction_id ?? parts.makeId("ask");
  parts.asked.add(interaction_id);
  let seen = bell.rings;
  try {
    await parts.pushNew(interactionEvent({ ...request, interaction_id }));
  } catch (thrown) {
    const is_repeated = isRefusal(thrown, "CONFLICT")
      && thrown.data["reason"] === "interaction_id_reused";
    if (!is_repeated) throw thrown;
    seen = -1;
  }
  for (;;) {
    await bell.wait(seen, parts.poll_seconds * 1000, stopping);
    stopping.throwIfAborted();
    seen = bell.rings;
    const outcome = readOutcome(await parts.read(interaction_id), parts.readHostClock());
    if (outcome !== null) return outcome;
  }
}

/** Null while an answer can still come. */
function readOutcome(interaction: Interaction, host_clock_ms: number): InteractionOutcome | null {
  const { status, status_reason, submission, expires_at } = interaction;
  if (status === "submitted") {
    const { action_id = null, values = {}, actor_id = null } = (submission ?? {}) as {
      action_id?: string | null;
      values?: Record<string, any>;
      actor_id?: string | null;
    };
    return { status, action_id, values, actor_id, interaction };
  }
  if (status === "cancelled") return { status, status_reason, interaction };
  // The host takes no answer after expires_at, also before it has marked the interaction.
  const is_over = host_clock_ms > (expires_at + clock_leeway_seconds) * 1000;
  return status === "expired" || is_over ? { status: "expired", interaction } : null;
}
