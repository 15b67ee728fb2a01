// `runhost call`: one method, its params as JSON, its result as JSON.

import { text } from "node:stream/consumers";
import { printResult, type Invocation } from "./output.js";
import { readParams } from "./params_text.js";
import { withHost } from "./reach.js";

/** `json` may be `-`: the params are then read from stdin. */
export async function callMethod(
  invocation: Invocation,
  method: string,
  json: string,
): Promise<void> {
  const params = readParams(json === "-" ? await text(process.stdin) : json);
  const result = await withHost(invocation, (host) => host.call(method, params));
  printResult(invocation, result, JSON.stringify(result, null, 2));
}
