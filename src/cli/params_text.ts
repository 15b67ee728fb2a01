// Reads the params that a person typed: one JSON object. Refuses anything else with the place where
// the text stops being JSON, which JSON.parse names for some mistakes only.

import { UsageError } from "./output.js";

type Expected = "a value" | "a name in double quotes" | "a colon" | "a comma" | "the end";

const scalar =
  /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;

export function readParams(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { index, expected } = findFault(text);
    const found = index < text.length ? `found ${JSON.stringify(text[index])}` : "the text ends";
    const before = text.slice(0, index).split("\n");
    const column = (before.at(-1) ?? "").length + 1;
    const place = `position ${index} (line ${before.length}, column ${column})`;
    throw new UsageError(`invalid JSON at ${place}: expected ${expected}, ${found}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new UsageError('params must be a JSON object, such as {"run_id":"run_1"}');
}

/** The first character that no JSON text could have there. */
export function findFault(text: string): { index: number; expected: Expected } {
  const open: ("{" | "[")[] = [];
  let expected: Expected = "a value";
  let mayClose = false;
  let index = 0;
  const afterValue = (): void => {
    expected = open.length === 0 ? "the end" : "a comma";
    mayClose = open.length > 0;
  };
  for (;;) {
    index = skipSpace(text, index);
    const char = text[index];
    const closes = char === (open.at(-1) === "{" ? "}" : "]") && open.length > 0;
    if (mayClose && closes) {
      open.pop();
      index += 1;
      afterValue();
    } else if (expected === "a value" && (char === "{" || char === "[")) {
      open.push(char);
      expected = char === "{" ? "a name in double quotes" : "a value";
      mayClose = true;
      index += 1;
    } else if (expected === "a comma" && char === ",") {
      expected = open.at(-1) === "{" ? "a name in double quotes" : "a value";
      mayClose = false;
      index += 1;
    } else if (expected === "a colon" && char === ":") {
      expected = "a value";
      index += 1;
    } else {
      const end = expected === "a value" || char === '"' ? readScalar(text, index) : index;
      const isName = expected === "a name in double quotes";
      if (end === index || (!isName && expected !== "a value")) return { index, expected };
      index = end;
      if (isName) expected = "a colon";
      else afterValue();
      mayClose &&= !isName;
    }
  }
}

function readScalar(text: string, index: number): number {
  scalar.lastIndex = index;
  return scalar.test(text) ? scalar.lastIndex : index;
}

function skipSpace(text: string, index: number): number {
  let end = index;
  while (end < text.length && " \t\n\r".includes(text[end]!)) end += 1;
  return end;
}
