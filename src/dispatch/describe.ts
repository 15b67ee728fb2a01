// What the host publishes about itself, made from the declarations alone: the OpenRPC document, the
// error table and the JSON Schemas. Pure: the same actions give the same bytes.

import type { AnyAction } from "../actions/action.js";
import type { Access, RunPath, Capability, ImpliedCapability } from "../contract/access.js";
import { errorTable, type ErrorCode } from "../contract/errors.js";
import type { SealedActions } from "./host.js";
import {
  convertParams, convertResult, convertSchema, pointReferences, sortMembers, standAlone,
  type JsonSchema,
} from "./json_schema.js";
import { possibleRefusals } from "./ladder_refusals.js";
import { describeField } from "./wording/fields.js";
import { notifications, type NotificationWords } from "./wording/notifications.js";
import { describeParam } from "./wording/params.js";

interface ContentDescriptor {
  name: string;
  description?: string;
  required?: boolean;
  schema: JsonSchema;
}

export interface OpenrpcMethod {
  name: string;
  summary: string;
  paramStructure: "by-name";
  params: ContentDescriptor[];
  result: ContentDescriptor;
  errors: { $ref: string }[];
  "x-access": string;
  /** The param that may stand instead of all others: a list of such params. */
  "x-list"?: string;
}

export interface OpenrpcNotification {
  name: string;
  summary: string;
  params: ContentDescriptor[];
  "x-sent-to": string;
}

export interface OpenrpcDocument {
  openrpc: "1.3.2";
  info: { title: string; version: string; description: string };
  methods: OpenrpcMethod[];
  /** What the host sends of its own accord; OpenRPC has no place for it. */
  "x-notifications": OpenrpcNotification[];
  components: { schemas: Record<string, JsonSchema>; errors: Record<string, unknown> };
}

const components = "#/components/schemas/";

export function describeOpenrpc(actions: SealedActions, version: string): OpenrpcDocument {
  const schemas: Record<string, JsonSchema> = {};
  const methods = actions.all.map((action) => describeMethod(action, schemas));
  const sent = notifications.map((notification) => describeNotification(notification, schemas));
  return {
    openrpc: "1.3.2",
    info: {
      title: "runhost",
      version,
      description: "JSON-RPC 2.0 over WebSocket in front of a durable ledger of agent runs.",
    },
    methods,
    "x-notifications": sent,
    components: {
      schemas: describeRecords(pointReferences(sortMembers(schemas), components)),
      errors: Object.fromEntries(codes().map((code) => [code, describeError(code)])),
    },
  };
}

/** Content of errors.json: name to number, retryability and sentence. */
export function describeErrors(): Record<
  ErrorCode,
  { code: number; retryable: boolean; when: string }
> {
  const rows = codes().map((name) => {
    const { number: code, retryable, when } = errorTable[name];
    return [name, { code, retryable, when }] as const;
  });
  return Object.fromEntries(rows) as ReturnType<typeof describeErrors>;
}

/** Schemas that stand alone, by name: `METHOD.params`, `METHOD.result` and each named schema. */
export function describeSchemas(actions: SealedActions): Record<string, JsonSchema> {
  const described: Record<string, JsonSchema> = {};
  for (const action of actions.all) {
    const params = convertParams(action);
    const result = convertResult(action);
    described[`${action.name}.params`] = standAlone(params);
    described[`${action.name}.result`] = standAlone(result);
    for (const { definitions } of [params, result]) {
      for (const [name, schema] of Object.entries(definitions)) {
        const others = Object.entries(definitions).filter(([other]) => other !== name);
        const used = reachable(schema, Object.fromEntries(others));
        described[name] = standAlone({ schema, definitions: used });
      }
    }
  }
  return sortMembers(described);
}

function describeMethod(
  action: AnyAction,
  schemas: Record<string, JsonSchema>,
): OpenrpcMethod {
  const params = convertParams(action);
  const result = convertResult(action);
  Object.assign(schemas, params.definitions, result.definitions);
  return {
    name: action.name,
    summary: action.summary,
    paramStructure: "by-name",
    params: describeParams(action.name, params),
    result: { name: "result", schema: pointReferences(result.schema, components) },
    errors: possibleRefusals(action).map((code) => ({ $ref: `#/components/errors/${code}` })),
    "x-access": describeAccess(action.access),
    ...(action.list === undefined ? {} : { "x-list": action.list }),
  };
}

/** Fields with their meaning; the schemas that stand alone do without. */
function describeRecords(schemas: Record<string, JsonSchema>): Record<string, JsonSchema> {
  const described = Object.entries(schemas).map(([record, schema]) => {
    const properties = schema["properties"] as Record<string, JsonSchema> | undefined;
    if (properties === undefined) return [record, schema] as const;
    const fields = Object.entries(properties).map(([name, field]) => {
      const description = describeField(record, name);
      return [name, description === undefined ? field : { description, ...field }] as const;
    });
    return [record, { ...schema, properties: Object.fromEntries(fields) }] as const;
  });
  return Object.fromEntries(described);
}

function describeNotification(
  { name, summary, sent_to, params, words }: NotificationWords,
  schemas: Record<string, JsonSchema>,
): OpenrpcNotification {
  const { schema, definitions } = convertSchema(params);
  Object.assign(schemas, definitions);
  const described = Object.entries(schema["properties"] as Record<string, JsonSchema>);
  return {
    name,
    summary,
    params: described.map(([param, own]) => ({
      name: param,
      description: words[param] ?? "",
      required: true,
      schema: pointReferences(own, components),
    })),
    "x-sent-to": sent_to,
  };
}

/** OpenRPC asks that the required ones come first. */
function describeParams(
  method: string,
  { properties, required }: ReturnType<typeof convertParams>,
): ContentDescriptor[] {
  const described = properties.map(([name, schema]) => {
    const description = describeParam(method, name);
    return {
      name,
      ...(description === undefined ? {} : { description }),
      required: required.has(name),
      schema: pointReferences(schema, components),
    };
  });
  return described.sort((a, b) => Number(b.required) - Number(a.required));
}

function describeError(code: ErrorCode) {
  const { number, when, retryable } = errorTable[code];
  return { code: number, message: when, data: { code, retryable } };
}

export function describeAccess(access: Access): string {
  switch (access.kind) {
    case "open":
      return access.before_login ? "every connection, also before login" : "every connection";
    case "permission":
      return `one of the permissions ${access.any.join(", ")}`;
    case "outside":
      return joinPaths([
        `the permission ${access.admin}`,
        "agent_run:create, for runs that the caller created",
        access.owner && "the plugin that owns the run, of failures",
      ]);
    case "session":
      return describeRunPath(access.run);
    case "connection":
      return "the connection that holds it";
    case "read":
    case "cancel":
      return joinPaths([
        describeRunPath(access.run),
        access.admin && `the permission ${access.admin}`,
        access.creator && "agent_run:create, for runs that the caller created",
      ]);
    case "write":
      return joinPaths([
        "the proof of an active claim",
        `the caller's own running run${granting(access.capability)}`,
        access.admin && `the permission ${access.admin}`,
      ]);
    case "claim":
      return "the proof of an active claim; no permission replaces it";
    case "fleet":
      return joinPaths([
        describeRunPath(access.run),
        `the permission ${access.admin}`,
        "what belongs to the caller's plugin",
      ]);
    case "own":
      return joinPaths([
        access.admin && `the permission ${access.admin}`,
        "what belongs to the caller's plugin",
      ]);
  }
}

function describeRunPath(path: RunPath): string {
  const session = path.mode === "live" ? "a live run" : "a readable run";
  return `${session} of the caller's own${granting(path.capability)}, named by run_id`;
}

/** Emitting on the caller's own running run needs no capability. */
function granting(capability: Capability | ImpliedCapability): string {
  return capability === "run_emit_result" ? "" : ` that grants ${capability}`;
}

function joinPaths(paths: readonly (string | false | undefined)[]): string {
  return paths.filter((path) => typeof path === "string").join("; or ");
}

/** The definitions that a schema refers to, directly or through another. */
function reachable(
  schema: JsonSchema,
  definitions: Record<string, JsonSchema>,
): Record<string, JsonSchema> {
  const found: Record<string, JsonSchema> = {};
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, member] of Object.entries(value)) {
      if (key !== "$ref" || typeof member !== "string") visit(member);
      else {
        const name = member.replace("#/definitions/", "");
        const target = definitions[name];
        if (target === undefined || found[name] !== undefined) continue;
        found[name] = target;
        visit(target);
      }
    }
  };
  visit(schema);
  return found;
}

function codes(): ErrorCode[] {
  return Object.keys(errorTable) as ErrorCode[];
}
