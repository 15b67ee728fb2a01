// The request that an emitted action.requested with action interaction.requested carries: its
// shape, closed at every level, and the rules that need no run. Defaults are filled in for storing.

import { z } from "zod";
import { measure } from "./canonical.js";
import type { Issue } from "./errors.js";
import { listIssues } from "./errors.js";
import { limits } from "./limits.js";
import { id, json, optional, text, time, withDefault } from "./scalars.js";

export const fieldTypes = [
  "text", "textarea", "select", "multiselect", "number", "boolean", "file",
] as const;

const option = z.strictObject({
  value: text(512, 1),
  label: text(512, 1),
  description: optional(text(2000)),
});

const field = z.strictObject({
  id: text(128, 1),
  label: text(512, 1),
  type: z.enum(fieldTypes),
  required: withDefault(z.boolean(), false),
  options: optional(z.array(option).max(100)),
  placeholder: optional(text(2000)),
  default: optional(json),
});

const button = z.strictObject({
  id: text(128, 1),
  label: text(512, 1),
  style: withDefault(z.enum(["default", "primary", "danger"]), "default"),
});

const shape = z.strictObject({
  interaction_id: id,
  kind: withDefault(z.enum(["form", "confirmation", "choice"]), "form"),
  title: text(1000, 1),
  description: optional(text(10_000)),
  fields: optional(z.array(field).max(50)),
  actions: optional(z.array(button).max(20)),
  expires_at: optional(time),
  fallback_text: text(20_000, 1),
});

type Request = z.output<typeof shape>;

/** An interaction request with its defaults; expires_at stays absent where none was sent. */
export const interactionRequest = shape.superRefine((request, context) => {
  for (const issue of findRuleBreaks(request)) {
    context.addIssue({ code: "custom", path: issue.path, message: issue.message });
  }
});

interface RuleBreak {
  path: (string | number)[];
  message: string;
}

function findRuleBreaks(request: Request): RuleBreak[] {
  const breaks = [
    ...findRepeats(request.fields ?? [], (one) => one.id, ["fields", "id"]),
    ...findRepeats(request.actions ?? [], (one) => one.id, ["actions", "id"]),
  ];
  for (const [at, one] of (request.fields ?? []).entries()) {
    const options = one.options ?? [];
    const repeats = findRepeats(options, (each) => each.value, ["options", "value"]);
    breaks.push(...repeats.map((each) => ({ ...each, path: ["fields", at, ...each.path] })));
    const chooses = one.type === "select" || one.type === "multiselect";
    if (chooses && options.length === 0) {
      breaks.push({ path: ["fields", at, "options"], message: `${one.type} needs options` });
    }
  }
  return breaks;
}

function findRepeats<T>(
  list: readonly T[],
  read: (element: T) => string,
  [name, member]: readonly [string, string],
): RuleBreak[] {
  const seen = new Set<string>();
  const breaks: RuleBreak[] = [];
  for (const [at, element] of list.entries()) {
    const value = read(element);
    if (seen.has(value)) breaks.push({ path: [name, at, member], message: "must be unique" });
    seen.add(value);
  }
  return breaks;
}

export type CheckedInteraction =
  | { request: Request; issues: null }
  | { request: null; issues: Issue[] };

/** Checks the payload of an emitted request; paths begin with data.payload. */
export function checkInteraction(payload: Record<string, unknown>): CheckedInteraction {
  const prefix = "data.payload";
  const parsed = interactionRequest.safeParse(payload);
  if (!parsed.success) return { request: null, issues: listIssues(parsed.error, prefix) };
  if (measure(payload).bytes > limits.interaction_bytes) {
    const message = `must have at most ${limits.interaction_bytes} bytes`;
    return { request: null, issues: [{ path: prefix, message }] };
  }
  return { request: parsed.data, issues: null };
}
