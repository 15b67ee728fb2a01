// Holds every exchange of a replay against what protocol/ publishes: params of calls that succeed
// and results against the schemas, refusals against errors.json.

import { Ajv, type ValidateFunction } from "ajv";
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
  const validators = new Map<string, ValidateFunction>();
  const codes = new Set<string>();

  const validate = (name: string, value: Json): void => {
    const validator = validators.get(name) ?? ajv.compile(readProtocol(`schemas/${name}.json`));
    validators.set(name, validator);
    if (validator(value)) return;
    const found = ajv.errorsText(validator.errors).slice(0, 1000);
    throw new Error(`schemas/${name}.json: ${found}: ${JSON.stringify(value).slice(0, 1000)}`);
  };

  return {
    codes,
    check({ method, params, answer }) {
      if (answer.error) {
        codes.add(checkError(answer.error, table));
      } else {
        validate(`${method}.params`, params);
        validate(`${method}.result`, answer.result);
      }
    },
  };
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
  return name;
}
