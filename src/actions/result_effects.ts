// What an emitted event does beside being stored, as far as its payload says it: a transcript
// message, a state write, an interaction. Whether the run may have the effect the ledger judges.

import { measure } from "../contract/canonical.js";
import { checkInteraction } from "../contract/interactions.js";
import { storedKey } from "../contract/scalars.js";
import { removeBinary } from "./redaction.js";
import type { CheckedResult, Message } from "../contract/result_payloads.js";
import type { NewInteraction, NewResult, ResultMessage, StateWrite } from "../ledger/requests.js";

type Effects = Pick<NewResult, "interaction" | "state" | "message">;

/** The effects of a payload that has passed its rules. */
export function describeEffects({ type, data }: CheckedResult): Effects {
  const effects: Effects = { interaction: null, state: null, message: null };
  if (type === "action.requested" && data["action"] === "interaction.requested") {
    effects.interaction = describeInteraction(data["payload"]);
  }
  if (type === "state.updated") effects.state = describeStateWrite(data);
  if (type === "message.completed" || type === "run.completed") {
    effects.message = describeMessage(data["message"]);
  }
  return effects;
}

function describeInteraction(sent: unknown): NewInteraction {
  const payload = (sent ?? {}) as Record<string, unknown>;
  const { request, issues } = checkInteraction(payload);
  if (request === null) {
    const named = payload["interaction_id"];
    const interaction_id = typeof named === "string" ? named : "";
    return { interaction_id, expires_at: null, request: {}, invalid: issues };
  }
  const { interaction_id, expires_at } = request;
  const stored = JSON.parse(JSON.stringify(request)) as Record<string, unknown>;
  return { interaction_id, expires_at: expires_at ?? null, request: stored, invalid: null };
}

function describeStateWrite(data: Record<string, unknown>): StateWrite {
  return {
    scope: data["scope"] as StateWrite["scope"],
    key: storedKey(data["key"] as string),
    value: data["value"],
    bytes: measure(data["value"]).bytes,
  };
}

function describeMessage(sent: unknown): ResultMessage | null {
  if (sent === undefined || sent === null) return null;
  const message = sent as Message;
  return {
    role: message.role,
    content: readContent(message.content),
    content_json: removeBinary(message),
    fingerprint: measure(message).fingerprint,
  };
}

/** The string, or the text members of the elements, one per line; null where there is no text. */
function readContent(content: Message["content"]): string | null {
  if (!Array.isArray(content)) return content ?? null;
  const texts = content.flatMap((element) => (element.text == null ? [] : [element.text]));
  return texts.length === 0 ? null : texts.join("\n");
}
