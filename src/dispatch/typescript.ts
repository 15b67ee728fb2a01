// The OpenRPC document as TypeScript: an interface for each record and for the params of each
// method, and HostMethods, which types the client. Pure: the same document gives the same text.

import type { OpenrpcDocument, OpenrpcMethod } from "./describe.js";
import type { JsonSchema } from "./json_schema.js";

const opening = [
  "// What travels between a plugin and a host, written by `npm run protocol` from the",
  "// declarations of the actions. Instants (`*_at`) are whole seconds since the epoch, UTC.",
].join("\n");

const envelope = ["caller_plugin_identity", "_meta"];

/** Methods whose result depends on a parameter: the first form that fits a call types it. */
const forms: Record<string, readonly { given: string; result: string }[]> = {
  run_claim: [
    { given: "{ max_runs: number }", result: "WorkItems" },
    { given: "{ max_runs?: null | undefined }", result: "WorkItem" },
  ],
  run_get: [
    { given: "{ include_input: true }", result: "RunDetail" },
    { given: "{ include_input?: false | null | undefined }", result: "Run" },
  ],
};

export function describeTypes({ methods, components }: OpenrpcDocument): string {
  const named = new Map(Object.entries(components.schemas));
  const write = (schema: JsonSchema): string => writeType(schema, named);
  const records = [...named].flatMap(([name, schema]) => {
    if (isScalar(schema)) return [];
    if (schema["properties"] === undefined) return [`export type ${name} = ${write(schema)};`];
    return [`export interface ${name} ${write(schema)}`];
  });
  const [first] = methods;
  const around = first?.params.filter(({ name }) => envelope.includes(name)) ?? [];
  const params = methods.map((method) => writeParams(method, write));
  const usual = (first === undefined ? [] : codesOf(first))
    .filter((code) => methods.every((method) => codesOf(method).includes(code)));
  const calls = methods.map((method) => indent(writeMethod(method, write, usual)));
  return [
    opening,
    ...records,
    `/** What every method takes beside its own. */\nexport interface EveryParams ${
      writeMembers(around, write)}`,
    ...params,
    `/**
 * One method for each action of the protocol, its wire name in camel case.
 * Every one may be refused with ${usual.join(", ")}.
 */
export interface HostMethods<CallOptions> {\n${calls.join("\n")}\n}`,
  ].join("\n\n") + "\n";
}

type Write = (schema: JsonSchema) => string;

const codesOf = ({ errors }: OpenrpcMethod): string[] =>
  errors.map(({ $ref }) => $ref.slice($ref.lastIndexOf("/") + 1));

/** Without the list that may stand instead; `required` is then as it is for a call alone. */
function paramsAlone({ params, "x-list": name }: OpenrpcMethod): Member[] {
  if (name === undefined) return params;
  const { schema } = params.find((one) => one.name === name)!;
  const [{ items }] = schema["anyOf"] as [{ items: { required?: string[] } }];
  return params.filter((one) => one.name !== name)
    .map((one) => ({ ...one, required: items.required?.includes(one.name) === true }));
}

function writeParams(method: OpenrpcMethod, write: Write): string {
  const { name, "x-list": list } = method;
  const own = paramsAlone(method).filter((one) => !envelope.includes(one.name));
  const type = `${pascal(name)}Params`;
  const alone = `export interface ${type} extends EveryParams ${writeMembers(own, write)}`;
  if (list === undefined) return alone;
  const element = `Omit<${type}, keyof EveryParams>[]`;
  const head = `export interface ${pascal(name)}List extends EveryParams`;
  return `${alone}\n\n${head} {\n  ${list}: ${element};\n}`;
}

interface Form {
  params: string;
  result: string;
}

/** The forms of a method in the order in which a call is matched with them. */
function formsOf(method: OpenrpcMethod, write: Write): Form[] {
  const { name, result: { schema }, "x-list": list } = method;
  const required = paramsAlone(method).some((param) => param.required === true);
  const params = `params${required ? "" : "?"}: ${pascal(name)}Params`;
  if (list !== undefined) {
    const [alone, listed] = schema["anyOf"] as [JsonSchema, JsonSchema];
    const first = { params: `params: ${pascal(name)}List`, result: write(listed) };
    return [first, { params, result: write(alone) }];
  }
  return forms[name]?.map(({ given, result }) => ({ params: `${params} & ${given}`, result }))
    ?? [{ params, result: write(schema) }];
}

function writeMethod(method: OpenrpcMethod, write: Write, usual: readonly string[]): string {
  const { name, summary } = method;
  const codes = codesOf(method).filter((code) => !usual.includes(code));
  const lines = [
    summary,
    "",
    `\`${name}\`, open to: ${method["x-access"]}.`,
    codes.length === 0 ? "" : `May be refused with ${codes.join(", ")}.`,
  ].map((line) => ` * ${line}`.trimEnd()).filter((line, at) => at < 3 || line !== " *");
  const written = formsOf(method, write).map(({ params, result }) =>
    `${camel(name)}(${params}, options?: CallOptions): Promise<${result}>;`);
  return ["/**", ...lines, " */", ...written].join("\n");
}

interface Member {
  name: string;
  required?: boolean;
  schema: JsonSchema;
}

function writeMembers(members: readonly Member[], write: Write, open = false): string {
  const lines = members.map(({ name, required, schema }) => {
    const type = write(schema);
    const note = describe(schema);
    const comment = note === "" ? "" : `/** ${note} */\n`;
    return `${comment}${name}${required ? "" : "?"}: ${type}${required ? "" : " | undefined"};`;
  });
  if (open) lines.push("[member: string]: any;");
  return lines.length === 0 ? "{}" : `{\n${indent(lines.join("\n"))}\n}`;
}

function describe(schema: JsonSchema): string {
  const bounds = [schema, ...((schema["anyOf"] ?? []) as JsonSchema[])];
  const description = bounds.map((one) => one["description"]).find((one) => one !== undefined);
  const fallback = schema["default"];
  const parts = [
    fallback === undefined ? "" : `Default ${JSON.stringify(fallback)}`,
    description === undefined ? "" : String(description),
  ].filter((part) => part !== "");
  const text = parts.join("; ");
  return text === "" ? "" : `${text[0]?.toUpperCase()}${text.slice(1)}.`;
}

function writeType(schema: JsonSchema, named: ReadonlyMap<string, JsonSchema>): string {
  const write = (inner: JsonSchema): string => writeType(inner, named);
  const { $ref, anyOf, allOf, enum: values, const: value, type } = schema;
  if (typeof $ref === "string") {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    const target = named.get(name);
    if (target === undefined) throw new Error(`nothing is named ${name}`);
    return isScalar(target) ? write(target) : name;
  }
  const either = (types: string[]): string => [...new Set(types)].join(" | ");
  if (Array.isArray(anyOf)) return either(anyOf.map(write));
  if (Array.isArray(allOf)) return either(allOf.map(write));
  if (Array.isArray(values)) return either(values.map((one) => JSON.stringify(one)));
  if (value !== undefined) return JSON.stringify(value);
  if (Array.isArray(type)) return either(type.map((one) => write({ ...schema, type: one })));
  if (type === "array") {
    const element = write((schema["items"] ?? {}) as JsonSchema);
    return element.includes(" | ") ? `(${element})[]` : `${element}[]`;
  }
  if (type === "object") return writeObject(schema, write);
  if (type === "integer") return "number";
  return typeof type === "string" ? type : "any";
}

function writeObject(schema: JsonSchema, write: Write): string {
  const { properties, additionalProperties: rest, required } = schema;
  if (properties === undefined) {
    return `Record<string, ${rest && rest !== true ? write(rest as JsonSchema) : "any"}>`;
  }
  const needed = new Set((required ?? []) as string[]);
  const members = Object.entries(properties as Record<string, JsonSchema>).map(
    ([name, inner]) => ({ name, required: needed.has(name), schema: inner }),
  );
  return writeMembers(members, write, typeof rest === "object");
}

/** Ids, instants and the like: their type says more in place than a name would. */
function isScalar(schema: JsonSchema): boolean {
  return ["string", "integer"].includes(String(schema["type"])) && schema["enum"] === undefined;
}

const indent = (text: string): string => text.replace(/^(?=.)/gm, "  ");

const camel = (name: string): string =>
  name.replace(/^rpc\./, "").replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

const pascal = (name: string): string => camel(name).replace(/^./, (one) => one.toUpperCase());
