// The value types of the contract as zod schemas. Optional members accept null as absent and the
// handler sees undefined; nothing is coerced; bounds that the contract clamps are clamped here.

import { z } from "zod";
import { limits } from "./limits.js";

const codePoints = (text: string): number => {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

/** Text of at most `max` Unicode code points, at least `min`. */
export const text = (max?: number, min = 0) =>
  z
    .string()
    .refine((value) => value.length >= min && (min < 2 || codePoints(value) >= min), {
      message: min === 1 ? "must not be empty" : `must have at least ${min} characters`,
    })
    .refine((value) => max === undefined || value.length <= max || codePoints(value) <= max, {
      message: `must have at most ${max} characters`,
    })
    .meta({
      ...(min === 0 ? {} : { minLength: min }),
      ...(max === undefined ? {} : { maxLength: max }),
    });

export const id = text(limits.id_characters, 1).meta({ id: "Id" });

const identityPattern = /^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/;
const runnerPattern = /^plugin:[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/;

export const identity = z
  .string()
  .min(3)
  .max(limits.identity_characters)
  .regex(identityPattern, "must be author/name")
  .meta({ id: "Identity" });

export const runnerId = z
  .string()
  .max(limits.id_characters)
  .regex(runnerPattern, "must be plugin:AUTHOR/NAME/RUNNER")
  .refine((value) => ownerOfRunner(value).length <= limits.identity_characters, {
    message: "AUTHOR/NAME must be a plugin identity",
  })
  .meta({ id: "RunnerId" });

/** The AUTHOR/NAME inside a runner id. */
export function ownerOfRunner(runner: string): string {
  return runner.slice("plugin:".length, runner.lastIndexOf("/"));
}

// Ends the checks of the number: bounds say nothing about what is no whole number.
const wholeNumber = { message: "must be a whole number within ±(2^53 − 1)", abort: true };

export const integer = (min: number, max: number) =>
  z
    .number()
    .refine(Number.isSafeInteger, wholeNumber)
    .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`)
    .meta({ type: "integer", minimum: min, maximum: max });

/** Any whole number, moved to the nearest bound. */
export const clamped = (min: number, max: number) =>
  z
    .number()
    .refine(Number.isSafeInteger, wholeNumber)
    .overwrite((value) => Math.min(max, Math.max(min, value)))
    .meta({ type: "integer", description: `moved to the nearest of ${min} and ${max}` });

export const time = integer(0, limits.time_max).meta({ id: "Time" });

const cursorMax = "9223372036854775807";

/** Cursors are decimal digits that fit a signed 64-bit integer; clients treat them as opaque. */
export const cursor = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,18})$/, "must be a cursor that the host handed out")
  .refine((value) => value.length < cursorMax.length || value <= cursorMax, {
    message: "must be a cursor that the host handed out",
  })
  .meta({ id: "Cursor" });

export const json: z.ZodType<unknown> = z.unknown().meta({ description: "any JSON value" });

export const openObject = z
  .custom<Record<string, unknown>>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "must be an object",
  )
  .meta({ type: "object" });

/** null is absent. */
export const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined) as z.ZodType<
    z.output<T> | undefined,
    z.input<T> | null | undefined
  >;

/** null is absent, absent is `value`, which is published as the default of the input. */
export const withDefault = <T extends z.ZodType>(schema: T, value: z.output<T>) =>
  schema
    .nullish()
    .meta({ default: value })
    .transform((given) => given ?? value) as unknown as z.ZodType<
    z.output<T>,
    z.input<T> | null | undefined
  >;

/** A list used as a filter: not empty, at most 100 elements, duplicates count once. */
export const filterList = <T extends z.ZodType<string>>(element: T) =>
  z
    .array(element)
    .min(1)
    .max(limits.filter_elements)
    .overwrite((values) => [...new Set(values)]);

export const pageLimit = (fallback: number, max: number) =>
  withDefault(clamped(1, max), fallback);

export const runStatuses = [
  "created", "queued", "claimed", "running", "completed", "failed", "cancelled", "timeout",
] as const;
export const terminalStatuses = ["completed", "failed", "cancelled", "timeout"] as const;
export const runStatus = z.enum(runStatuses).meta({ id: "RunStatus" });
export const runtimeStatuses = ["online", "draining", "offline", "stale"] as const;
export const interactionStatuses = ["pending", "submitted", "expired", "cancelled"] as const;
export const stateScopes = ["conversation", "actor", "subject", "runner"] as const;

/** The key under which state is stored; one key has a second, shorter name. */
export const storedKey = (key: string): string =>
  key === "conversation_id" ? "external.conversation_id" : key;

/** For a transform that may refuse: it runs only where the schema found nothing. An unknown key
    does not stop a transform by itself (zod 4.6), and INVALID_PARAMS comes before its refusal. */
export const whenSound =
  <In, Out>(make: (params: In) => Out) =>
  (params: In, context: z.core.$RefinementCtx): Out =>
    context.issues.length > 0 ? (z.NEVER as Out) : make(params);
