// The validators of the OpenRPC project. They are loaded untyped: the package of their types ships
// source instead of declarations, which our compiler settings refuse.

import { createRequire } from "node:module";

type Json = any;

interface SchemaUtils {
  /** True, or an error that names what is wrong; throws where the version is unknown. */
  validateOpenRPCDocument(document: Json): true | Error;
  /** A copy without references. */
  parseOpenRPCDocument(document: Json): Promise<Json>;
  MethodCallValidator: new (parsed: Json) => {
    /** The errors of a call; empty when it fits the document. */
    validate(method: string, params: Json): Json[];
  };
}

const load = createRequire(import.meta.url);

export const openrpcJudge = (): SchemaUtils => load("@open-rpc/schema-utils-js") as SchemaUtils;

export async function judgeCalls(document: Json) {
  const { MethodCallValidator, parseOpenRPCDocument } = openrpcJudge();
  return new MethodCallValidator(await parseOpenRPCDocument(structuredClone(document)));
}
