// JSON Schema in words that a reader takes in at a glance: `list of Run`, `integer 1..100`. Names
// of records lead to where the page shows them.

import type { JsonSchema } from "../../dispatch/json_schema.js";
import { html, join, type Markup, type Piece } from "./markup.js";

const reference = "#/components/schemas/";

/** A schema without its null branch, and whether it had one. */
export function splitNull(schema: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  const { type } = schema;
  if (Array.isArray(type) && type.includes("null")) {
    const others = type.filter((one) => one !== "null");
    const only = others.length === 1 ? others[0] : others;
    return { schema: { ...schema, type: only }, nullable: true };
  }
  const branches = branchesOf(schema);
  const others = branches.filter((branch) => branch["type"] !== "null");
  if (others.length === branches.length) return { schema, nullable: false };
  const { anyOf: _, oneOf: __, ...rest } = schema;
  const only = others.length === 1 ? others[0]! : { anyOf: others };
  return { schema: { ...only, ...rest }, nullable: true };
}

export const branchesOf = (schema: JsonSchema): JsonSchema[] =>
  (schema["anyOf"] ?? schema["oneOf"] ?? []) as JsonSchema[];

export const propertiesOf = (schema: JsonSchema): [string, JsonSchema][] =>
  Object.entries((schema["properties"] ?? {}) as Record<string, JsonSchema>);

/** The type in words; `nulls` says "or null" where null is allowed. */
export function writeType(given: JsonSchema, { nulls = false } = {}): Markup {
  const { schema, nullable } = splitNull(given);
  const words = writeKind(schema);
  return nullable && nulls ? html`${words} or null` : words;
}

function writeKind(schema: JsonSchema): Markup {
  const { $ref, const: only, enum: values, type } = schema;
  if (typeof $ref === "string") return linkRecord($ref.replace(reference, ""));
  if (only !== undefined) return writeValue(only);
  if (Array.isArray(values)) return join(values.map(writeValue), html` <span class=or>|</span> `);
  const branches = branchesOf(schema);
  if (branches.length > 0) return join(branches.map((one) => writeType(one)), " or ");
  if (type === "array") return writeList(schema);
  if (type === "object") return writeObject(schema);
  if (type === "string") return html`string${writeBounds(schema, "Length", " characters")}`;
  if (type === "integer" || type === "number") return html`${type}${writeRange(schema)}`;
  return html`${typeof type === "string" ? type : "any JSON"}`;
}

export const linkRecord = (name: string): Markup =>
  html`<a class=record href="#record-${name}">${name}</a>`;

const writeValue = (value: unknown): Markup => html`<code>${JSON.stringify(value)}</code>`;

function writeList(schema: JsonSchema): Markup {
  const items = schema["items"] as JsonSchema | undefined;
  const of = items === undefined ? html`any JSON` : writeType(items, { nulls: true });
  return html`list${writeBounds(schema, "Items", "")} of ${of}`;
}

function writeObject(schema: JsonSchema): Markup {
  const properties = propertiesOf(schema);
  if (properties.length > 0) return html`object ${writeMembers(schema, properties)}`;
  const { additionalProperties: values } = schema;
  const isMap = typeof values === "object" && values !== null && Object.keys(values).length > 0;
  return isMap ? html`map to ${writeType(values as JsonSchema)}` : html`object`;
}

/** The members of a nested object, folded away. */
function writeMembers(schema: JsonSchema, properties: readonly [string, JsonSchema][]): Markup {
  const required = new Set((schema["required"] ?? []) as string[]);
  const rows = properties.map(([name, member]) =>
    html`<li><code>${name}</code>${required.has(name) && html`<b class=must>*</b>`}
      ${writeType(member)}</li>`);
  const s = rows.length === 1 ? "" : "s";
  return html`<details><summary>${rows.length} member${s}</summary><ul>${rows}</ul></details>`;
}

function writeBounds(schema: JsonSchema, of: "Length" | "Items", unit: string): Piece {
  const range = writeSpan(schema[`min${of}`], schema[`max${of}`]);
  return range === "" ? "" : html` <span class=bounds>${range}${unit}</span>`;
}

function writeRange(schema: JsonSchema): Piece {
  const { minimum, maximum, description } = schema;
  const clamp = /^moved to the nearest of (\S+) and (\S+)$/.exec(String(description ?? ""));
  const range = clamp ? `clamped to ${clamp[1]}..${clamp[2]}` : writeSpan(minimum, maximum);
  return range === "" ? "" : html` <span class=bounds>${range}</span>`;
}

function writeSpan(low: unknown, high: unknown): string {
  if (low === undefined && high === undefined) return "";
  if (low === undefined) return `≤ ${String(high)}`;
  return `${String(low)}..${high === undefined ? "" : String(high)}`;
}
