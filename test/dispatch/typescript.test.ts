// The document as TypeScript: each kind of schema that the declarations use, written as a user of the
// client is to read it; and the published file, which is the one that the client is typed by.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { OpenrpcDocument } from "../../src/dispatch/describe.js";
import { describeTypes } from "../../src/dispatch/typescript.js";
import { root } from "../house/source.js";

const refer = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const orNull = (schema: object) => ({ anyOf: [schema, { type: "null" }] });

const around = [
  { name: "caller_plugin_identity", required: false, schema: orNull(refer("Id")) },
  { name: "_meta", required: false, schema: { type: ["object", "null"] } },
];

const hand: OpenrpcDocument = {
  openrpc: "1.3.2",
  info: { title: "hand", version: "1", description: "" },
  "x-notifications": [],
  methods: [{
    name: "thing_make", summary: "Make a thing.", paramStructure: "by-name", "x-access": "everybody",
    params: [
      { name: "thing_id", required: true, schema: refer("Id") },
      { name: "limit", required: false, schema: {
        default: 5, ...orNull({ type: "integer", description: "moved to the nearest of 1 and 9" }),
      } },
      { name: "states", required: false, schema: orNull({ type: "array", items: refer("State") }) },
      { name: "marks", required: false, schema: {
        type: "array", items: { type: "string", enum: ["a", "b"] },
      } },
      ...around,
    ],
    result: { name: "result", schema: refer("Thing") },
    errors: [{ $ref: "#/components/errors/INTERNAL" }, { $ref: "#/components/errors/CONFLICT" }],
  }, {
    name: "rpc.tell", summary: "Tell.", paramStructure: "by-name", "x-access": "nobody",
    params: around, result: { name: "result", schema: { type: "object" } },
    errors: [{ $ref: "#/components/errors/INTERNAL" }],
  }],
  components: { errors: {}, schemas: {
    Id: { type: "string", minLength: 1 },
    State: { type: "string", enum: ["on", "off"] },
    Thing: {
      type: "object", required: ["thing_id", "seen"],
      properties: {
        thing_id: refer("Id"), seen: { type: ["integer", "null"] },
        again: { type: "boolean", const: true },
        labels: { type: "object", additionalProperties: { type: "string" } },
      },
      additionalProperties: {},
    },
  } },
};

test("a document is written as interfaces, one for each record, and typed methods", () => {
  expect(describeTypes(hand).split("\n\n").slice(1).join("\n\n")).toBe(`export type State = "on" | "off";

export interface Thing {
  thing_id: string;
  seen: number | null;
  again?: true | undefined;
  labels?: Record<string, string> | undefined;
  [member: string]: any;
}

/** What every method takes beside its own. */
export interface EveryParams {
  caller_plugin_identity?: string | null | undefined;
  _meta?: Record<string, any> | null | undefined;
}

export interface ThingMakeParams extends EveryParams {
  thing_id: string;
  /** Default 5; moved to the nearest of 1 and 9. */
  limit?: number | null | undefined;
  states?: State[] | null | undefined;
  marks?: ("a" | "b")[] | undefined;
}

export interface TellParams extends EveryParams {}

/**
 * One method for each action of the protocol, its wire name in camel case.
 * Every one may be refused with INTERNAL.
 */
export interface HostMethods<CallOptions> {
  /**
   * Make a thing.
   *
   * \`thing_make\`, open to: everybody.
   * May be refused with CONFLICT.
   */
  thingMake(params: ThingMakeParams, options?: CallOptions): Promise<Thing>;
  /**
   * Tell.
   *
   * \`rpc.tell\`, open to: nobody.
   */
  tell(params?: TellParams, options?: CallOptions): Promise<Record<string, any>>;
}
`);
});

test("a reference to nothing is our own mistake", () => {
  const { Id: _, ...schemas } = hand.components.schemas;
  expect(() => describeTypes({ ...hand, components: { errors: {}, schemas } })).toThrow("named Id");
});

test("the published types are those of the published document", () => {
  const read = (file: string) => readFileSync(join(root, "protocol", file), "utf8");
  expect(read("methods.d.ts")).toBe(describeTypes(JSON.parse(read("openrpc.json"))));
});
