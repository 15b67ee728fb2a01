// A client's journal: one JSON object a line, what the client sent and what it was told. It is
// read as untrusted text: a line that cannot be understood is refused with its file and number,
// but for a last one that was cut off when its writer died.

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** A call: answered with `result` or `error`; with neither nobody knows what became of it. */
export interface CallLine {
  tenant_id: string;
  method: string;
  params: Record<string, any>;
  sent_at_ms: number;
  answered_at_ms?: number;
  result?: Record<string, any>;
  error?: { code: string };
}

/** What one reader was given of one run, in the order in which it was given. */
export interface ReadLine {
  tenant_id: string;
  reader: string;
  run_id: string;
  /** The cursor from which it began to read; 0 = from the start. */
  after?: number;
  sequence?: number;
  /** The end of the run was told. */
  ended?: true;
}

export type JournalLine = ({ kind: "call" } & CallLine) | ({ kind: "read" } & ReadLine);

export class JournalError extends Error {
  override readonly name = "JournalError";
}

/** Yields the lines of a file in order. */
export async function* readJournal(file: string): AsyncGenerator<JournalLine> {
  const lines = createInterface({ input: createReadStream(file, "utf8"), crlfDelay: Infinity });
  let number = 0;
  let unread: string | null = null;
  for await (const text of lines) {
    if (unread !== null) throw new JournalError(unread);
    number += 1;
    if (text.trim() === "") continue;
    const line = parseLine(text);
    if (typeof line === "string") unread = `${file}:${number}: ${line}`;
    else yield line;
  }
  // A writer that was killed leaves half a line, which it had not been told of.
  if (unread !== null && !unread.endsWith(notJson)) throw new JournalError(unread);
}

const notJson = "is not JSON";

function parseLine(text: string): JournalLine | string {
  let line: any;
  try {
    line = JSON.parse(text);
  } catch {
    return notJson;
  }
  if (line === null || typeof line !== "object" || Array.isArray(line)) return "is no object";
  const tenant_id = line.tenant_id ?? "default";
  if (typeof tenant_id !== "string") return "tenant_id: must be a string";
  if (typeof line.method === "string") {
    const wrong = checkCall(line);
    return wrong ?? { kind: "call", ...line, tenant_id };
  }
  if (typeof line.reader === "string") {
    const wrong = checkRead(line);
    return wrong ?? { kind: "read", ...line, tenant_id };
  }
  return "has neither method nor reader";
}

const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function checkCall(line: any): string | null {
  if (!isObject(line.params)) return "params: must be an object";
  if (!Number.isFinite(line.sent_at_ms)) return "sent_at_ms: must be a number";
  if (line.result === undefined && line.error === undefined) return null;
  if (!Number.isFinite(line.answered_at_ms)) return "answered_at_ms: must be a number";
  if (line.result !== undefined) return isObject(line.result) ? null : "result: must be an object";
  return typeof line.error?.code === "string" ? null : "error.code: must be a string";
}

function checkRead(line: any): string | null {
  if (typeof line.run_id !== "string") return "run_id: must be a string";
  const told = [line.after, line.sequence, line.ended].filter((value) => value !== undefined);
  if (told.length !== 1) return "must have one of after, sequence and ended";
  if (line.ended !== undefined) return line.ended === true ? null : "ended: must be true";
  return Number.isSafeInteger(told[0]) && told[0] >= 0 ? null : "must name a sequence";
}
