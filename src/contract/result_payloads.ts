// The types of result events, what each carries, and the rules that a payload passes before the run
// is looked at, in their order: size, type, shape, and that append stores no side effect.
// Refuses with PAYLOAD_TOO_LARGE and RESULT_REJECTED.

import { z } from "zod";
import { limitField, measure } from "./canonical.js";
import { Refusal } from "./errors.js";
import { listIssues } from "./errors.js";
import { limits } from "./limits.js";
import { id, integer, openObject, optional, stateScopes, text } from "./scalars.js";

// Message and what hangs on it are open objects: a null in them stays a null.
const count = integer(0, Number.MAX_SAFE_INTEGER);

const contentElement = z
  .looseObject({
    type: text(50, 1),
    text: z.nullish(text()),
    image_base64: z.nullish(text()),
    file_url: z.nullish(text()),
    file_base64: z.nullish(text()),
    file_name: z.nullish(text()),
    image_url: z.nullish(z.looseObject({ url: text() })),
  })
  .meta({ id: "ContentElement" });

const toolCall = z
  .looseObject({
    id: text(),
    type: text(),
    function: z.looseObject({ name: text(), arguments: text() }),
    provider_specific_fields: z.nullish(openObject),
  })
  .meta({ id: "ToolCall" });

const messageShape = {
  role: text(50, 1),
  name: z.nullish(text()),
  content: z.union([z.string(), z.array(contentElement)]).nullish(),
  tool_calls: z.nullish(z.array(toolCall)),
  tool_call_id: z.nullish(text()),
  resp_message_id: z.nullish(text()),
  provider_specific_fields: z.nullish(openObject),
};

export const message = z.looseObject(messageShape).meta({ id: "Message" });
export type Message = z.output<typeof message>;

export const messageChunk = z
  .looseObject({
    ...messageShape,
    all_content: z.nullish(text()),
    is_final: z.nullish(z.boolean()),
    msg_sequence: z.nullish(count),
  })
  .meta({ id: "MessageChunk" });

export const usage = z
  .looseObject({
    prompt_tokens: z.nullish(count),
    completion_tokens: z.nullish(count),
    total_tokens: z.nullish(count),
  })
  .meta({ id: "Usage" });

/** Made once: making a schema costs more than parsing with it. */
const sentUsage = usage.optional();

interface ResultType {
  /** A side effect belongs to run_emit_result; run_append_result refuses the type. */
  side_effecting: boolean;
  data: z.ZodType;
}

/** Every type of result event; each `data` is closed. */
export const resultTypes = {
  "message.delta": {
    side_effecting: true,
    data: z.strictObject({ chunk: messageChunk }),
  },
  "message.completed": {
    side_effecting: true,
    data: z.strictObject({ message }),
  },
  "tool.call.started": {
    side_effecting: false,
    data: z.strictObject({
      tool_call_id: id,
      tool_name: text(255),
      parameters: optional(openObject),
    }),
  },
  "tool.call.completed": {
    side_effecting: false,
    data: z.strictObject({
      tool_call_id: id,
      tool_name: text(255),
      result: optional(openObject),
      error: optional(text()),
    }),
  },
  "action.requested": {
    side_effecting: false,
    data: z.strictObject({
      action: text(255),
      target: optional(openObject),
      payload: optional(openObject),
    }),
  },
  "state.updated": {
    side_effecting: true,
    data: z.strictObject({ scope: z.enum(stateScopes), key: text(255, 1), value: z.unknown() }),
  },
  "run.completed": {
    side_effecting: true,
    data: z.strictObject({ finish_reason: optional(text(255)), message: optional(message) }),
  },
  "run.failed": {
    side_effecting: true,
    data: z.strictObject({
      error: text(),
      code: optional(text(100)),
      retryable: optional(z.boolean()),
    }),
  },
} as const satisfies Record<string, ResultType>;

export type ResultTypeName = keyof typeof resultTypes;

export interface SentResult {
  type: string;
  data: Record<string, unknown> | undefined;
  usage: Record<string, unknown> | undefined;
  metadata: Record<string, unknown> | undefined;
}

export interface CheckedResult {
  type: ResultTypeName;
  /** As sent: defaults are not filled in. */
  data: Record<string, unknown>;
  usage: Record<string, unknown> | null;
  metadata: Record<string, unknown>;
  fingerprint: string;
  bytes: number;
}

/** Applies the payload rules; `emitted` events may have side effects. */
export function checkResult(sent: SentResult & { emitted: boolean }): CheckedResult {
  const data = sent.data ?? {};
  const measured = measure({
    data,
    metadata: sent.metadata,
    type: sent.type,
    usage: sent.usage,
  });
  if (measured.bytes > limits.result_event_bytes) {
    const limit_bytes = limits.result_event_bytes;
    throw new Refusal("PAYLOAD_TOO_LARGE", { reason: "result", limit_bytes });
  }
  const type = checkType(sent.type);
  checkShape(type, { data, usage: sent.usage });
  if (resultTypes[type].side_effecting && !sent.emitted) {
    throw new Refusal("RESULT_REJECTED", { reason: "side_effecting_type", type });
  }
  if (type === "run.completed" || type === "run.failed") limitField("usage", sent.usage);
  return {
    type,
    data,
    usage: sent.usage ?? null,
    metadata: sent.metadata ?? {},
    ...measured,
  };
}

function checkType(type: string): ResultTypeName {
  if (Object.hasOwn(resultTypes, type)) return type as ResultTypeName;
  throw new Refusal("RESULT_REJECTED", { reason: "unknown_type", type });
}

function checkShape(
  type: ResultTypeName,
  sent: { data: Record<string, unknown>; usage: Record<string, unknown> | undefined },
): void {
  const dataFound = resultTypes[type].data.safeParse(sent.data);
  const usageFound = sentUsage.safeParse(sent.usage);
  const issues = [
    ...(dataFound.success ? [] : listIssues(dataFound.error, "data")),
    ...(usageFound.success ? [] : listIssues(usageFound.error, "usage")),
  ];
  if (issues.length === 0) return;
  throw new Refusal("RESULT_REJECTED", { reason: "invalid_payload", type, issues });
}
