// Reads the params that a person typed: one JSON object. Refuses anything else with the place where
// the text stops being JSON, which JSON.parse names for some mistakes only.

import { UsageError } from "./output.js";

export function readParams(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`invalid JSON ${describeFault(text)}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new UsageError('params must be a JSON object, such as {"run_id":"run_1"}');
}

function describeFault(text: string): string {
  const { index, expected } = findFault(text);
  const lines = text.slice(0, index).split("\n");
  const place = `line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
  const char = String.fromCodePoint(text.codePointAt(index) ?? 0);
  const found = index < text.length ? `found ${JSON.stringify(char)}` : "the text ends";
  return `at position ${index} (${place}): expected ${expected}, ${found}`;
}

class Fault {
  constructor(
    readonly index: number,
    readonly expected: string,
  ) {}
}

/** Of a text that is not JSON. Each reader returns the index behind what it read and its space. */
function findFault(text: string): Fault {
  const skip = (pattern: RegExp, index: number): number => {
    const sticky = new RegExp(pattern, "y");
    sticky.lastIndex = index;
    return sticky.test(text) ? sticky.lastIndex : index;
  };
  const skipSpace = (index: number): number => skip(/[ \t\n\r]*/, index);
  const readSign = (sign: string, index: number, expected: string): number => {
    if (text[index] !== sign) throw new Fault(index, expected);
    return skipSpace(index + 1);
  };
  const readString = (index: number, expected: string): number => {
    if (text[index] !== '"') throw new Fault(index, expected);
    const part = /(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/;
    return readSign('"', skip(part, index + 1), "the end of the string");
  };
  const readValue = (index: number): number => {
    if (text[index] === "{") return readList("}", index, readMember);
    if (text[index] === "[") return readList("]", index, readValue);
    if (text[index] === '"') return readString(index, "a value");
    const end = skip(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/, index);
    if (end === index) throw new Fault(index, "a value");
    return skipSpace(end);
  };
  const readMember = (index: number): number => {
    const colon = readString(index, "a name in double quotes");
    return readValue(readSign(":", colon, "a colon"));
  };
  const readList = (close: string, index: number, readItem: (index: number) => number): number => {
    let next = skipSpace(index + 1);
    if (text[next] === close) return skipSpace(next + 1);
    for (;;) {
      next = readItem(next);
      if (text[next] === close) return skipSpace(next + 1);
      next = readSign(",", next, `a comma or "${close}"`);
    }
  };
  try {
    return new Fault(readValue(skipSpace(0)), "the end");
  } catch (fault) {
    if (fault instanceof Fault) return fault;
    throw fault;
  }
}
