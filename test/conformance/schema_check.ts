// Holds every exchange of a replay against what protocol/ publishes: params of calls that succeed
// and results against the schemas, refusals against errors.json, the errors that openrpc.json lists
// for the method, and the details of each reason.

import { Ajv, type ValidateFunction } from "ajv";
import { judgeDetails } from "./error_details.js";
import { readProtocol } from "./fixture_files.js";
import type { Json } from "./link.js";
import type { Exchange } from "./replay.js";

interface ErrorRow {
  code: number;
  retryable: boolean;
  when: string;
}

export interface SchemaCheck {
  check(exchange: Exchange): void;
  /** Error codes that were answered. */
  readonly codes: ReadonlySet<string>;
}

export function createSchemaCheck(): SchemaCheck {
  const ajv = new Ajv({ strict: false, allErrors: true });
  const table: Record<string, ErrorRow> = readProtocol("errors.json");
  const listed = readListedErrors();
  const validators = new Map<string, ValidateFunction>();
  const codes = new Set<string>();

  const validate = (name: string, value: Json): void => {
    const validator = validators.get(name) ?? ajv.compile(readProtocol(`schemas/${name}.json`));
    validators.set(name, validator);
    if (validator(value)) return;
    const found = ajv.errorsText(validator.errors).slice(0, 1000);
    throw new Error(`schemas/${name}.json: ${found}: ${JSON.stringify(value).slice(0, 1000)}`);
  };

  const judgeRefusal = (method: string, error: Json): void => {
    const code = checkError(error, table);
    codes.add(code);
    if (listed.get(method)?.has(code) === false) {
      throw new Error(`openrpc.json lists no ${code} for ${method}`);
    }
  };

  return {
    codes,
    check({ method, params, answer }) {
      if (answer.error) return judgeRefusal(method, answer.error);
      const refused = refusedItems(answer.result);
      for (const { error } of refused) judgeRefusal(method, error);
      const succeeding = refused.length === 0 ? params : dropRefused(params, answer.result);
      if (succeeding !== null) validate(`${method}.params`, succeeding);
      validate(`${method}.result`, answer.result);
    },
  };
}

/** Items of a list that were refused; no other answer has items with an error in them. */
const refusedItems = (result: Json): { error: Json }[] =>
  Array.isArray(result?.items) ? result.items.filter((item: Json) => item?.error) : [];

/** The params of a call in list form without the refused items; null when none is left. */
function dropRefused(params: Json, { items }: Json): Json {
  const name = params.results === undefined ? "runs" : "results";
  const left = params[name].filter((_: Json, place: number) => items[place].error === undefined);
  return left.length === 0 ? null : { ...params, [name]: left };
}

function checkError(error: Json, table: Record<string, ErrorRow>): string {
  const name: string = error.data?.code;
  const row = table[name];
  if (!row) throw new Error(`errors.json has no ${name}`);
  const { code, retryable } = row;
  const got = { code: error.code, retryable: error.data.retryable };
  if (got.code !== code || got.retryable !== retryable || typeof error.message !== "string") {
    throw new Error(`errors.json says ${JSON.stringify(row)} of ${JSON.stringify(error)}`);
  }
  const faults = judgeDetails(error.data);
  if (faults.length > 0) throw new Error(`${faults.join(", ")}: ${JSON.stringify(error)}`);
  return name;
}

/** The codes that each published method may answer. */
export function readListedErrors(): Map<string, Set<string>> {
  const { methods } = readProtocol("openrpc.json");
  return new Map(methods.map(({ name, errors }: Json) => [
    name, new Set(errors.map(({ $ref }: { $ref: string }) => $ref.split("/").at(-1))),
  ]));
}
