// zod schemas as JSON Schema, draft 7, in the form that goes over the wire: what a peer may send,
// and what answers hold at least. Schemas with a name of their own are referred to, not repeated.

import { z } from "zod";
import type { AnyAction } from "../actions/action.js";
import { limits } from "../contract/limits.js";
import { describeAnswers } from "./item_lists.js";
import { envelope } from "./params.js";

export type JsonSchema = Record<string, unknown>;

export interface Converted {
  schema: JsonSchema;
  /** Named schemas that `schema` refers to as `#/definitions/NAME`. */
  definitions: Record<string, JsonSchema>;
}

export interface ConvertedParams extends Converted {
  properties: [string, JsonSchema][];
  required: ReadonlySet<string>;
}

/** The input side of a schema; answers are open to new fields, so they are described by it too. */
export function convertSchema(schema: z.ZodType): Converted {
  const written = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-7",
    unrepresentable: "any",
    override: ({ jsonSchema }) => dropEmptyBounds(jsonSchema as JsonSchema),
  }) as JsonSchema;
  const { $schema: _, definitions, ...rest } = written;
  return { schema: rest, definitions: (definitions ?? {}) as Record<string, JsonSchema> };
}

/** The params of a method, with those that every method takes. In list form it takes a list of
    what would stand alone, and nothing that is required alone. */
export function convertParams(action: AnyAction): ConvertedParams {
  const own = convertSchema(action.params);
  const around = convertSchema(envelope);
  if (own.schema["type"] !== "object" || own.schema["additionalProperties"] !== false) {
    throw new Error(`the params of ${action.name} are not a closed object`);
  }
  const definitions = { ...own.definitions, ...around.definitions };
  const properties = { ...propertiesOf(own.schema), ...propertiesOf(around.schema) };
  const alone = { ...own.schema, properties };
  if (action.list === undefined) {
    const required = new Set((own.schema["required"] ?? []) as string[]);
    return { schema: alone, definitions, properties: Object.entries(properties), required };
  }
  const list = { type: "array", minItems: 1, maxItems: limits.list_items, items: own.schema };
  const listed = {
    type: "object",
    properties: { [action.list]: list, ...propertiesOf(around.schema) },
    required: [action.list],
    additionalProperties: false,
  };
  const absent = { ...alone, properties: { ...properties, [action.list]: { type: "null" } } };
  return {
    schema: { anyOf: [absent, listed] },
    definitions,
    properties: Object.entries({
      [action.list]: { anyOf: [list, { type: "null" }] }, ...properties,
    }),
    required: new Set(),
  };
}

/** What a method answers, in either form. */
export function convertResult(action: AnyAction): Converted {
  if (action.list === undefined) return convertSchema(action.result);
  return convertSchema(z.union([action.result, describeAnswers(action)]));
}

/** A schema that stands alone: what it refers to travels with it. */
export function standAlone({ schema, definitions }: Converted): JsonSchema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    ...schema,
    ...(Object.keys(definitions).length === 0 ? {} : { definitions: sortMembers(definitions) }),
  };
}

/** The same schema with its references pointed elsewhere, for example `#/components/schemas/`. */
export function pointReferences<T>(value: T, at: string): T {
  if (Array.isArray(value)) return value.map((member) => pointReferences(member, at)) as T;
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) =>
    name === "$ref" && typeof member === "string"
      ? [name, member.replace("#/definitions/", at)]
      : [name, pointReferences(member, at)],
  );
  return Object.fromEntries(members) as T;
}

export function sortMembers<T>(members: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function propertiesOf(schema: JsonSchema): Record<string, JsonSchema> {
  return (schema["properties"] ?? {}) as Record<string, JsonSchema>;
}

/** Bounds that every JSON integer and every text has say nothing. */
function dropEmptyBounds(schema: JsonSchema): void {
  if (schema["minimum"] === Number.MIN_SAFE_INTEGER) delete schema["minimum"];
  if (schema["maximum"] === Number.MAX_SAFE_INTEGER) delete schema["maximum"];
  if (schema["minLength"] === 0) delete schema["minLength"];
}
