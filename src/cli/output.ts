// What the command line writes: one result on stdout, as words or with --json as one line of JSON;
// for a failure one line on stderr, with --json also its error object on stdout. Exit code 1: tried
// and refused; 2: the command line or the configuration is unusable and nothing was tried.

import { HostError } from "../client/client.js";
import { ConfigError } from "../config.js";

export interface Invocation {
  environment: NodeJS.ProcessEnv;
  options: { url?: string; token?: string; json?: boolean };
}

/** The words of the command line itself are wrong. */
export class UsageError extends Error {}

/** Something was tried and did not come out; `details` go into the error object. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

/** Prints the words, or with --json the result itself. */
export function printResult(
  { options }: Invocation,
  result: unknown,
  words: string | readonly string[],
): void {
  const lines = typeof words === "string" ? [words] : words;
  process.stdout.write(`${options.json ? JSON.stringify(result) : lines.join("\n")}\n`);
}

/** Columns as wide as their widest cell; a cell never breaks its line. */
export function drawTable(rows: readonly (readonly string[])[]): string[] {
  const clean = rows.map((row) => row.map(toOneLine));
  const widths = clean[0]?.map((_, column) =>
    Math.max(...clean.map((row) => row[column]?.length ?? 0)),
  );
  return clean.map((row) =>
    row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join("  ").trimEnd(),
  );
}

/** Writes a failure and returns its exit code. */
export function printFailure(thrown: unknown, json: boolean): 1 | 2 {
  const { exit, line, error } = describeFailure(thrown);
  process.stderr.write(`${toOneLine(line)}\n`);
  if (json) process.stdout.write(`${JSON.stringify(error)}\n`);
  return exit;
}

interface Described {
  exit: 1 | 2;
  line: string;
  /** As the protocol spells errors; number 0 where no host gave it. */
  error: { code: number; message: string; data: Record<string, unknown> };
}

function describeFailure(thrown: unknown): Described {
  const message = readMessage(thrown);
  if (thrown instanceof HostError) {
    const error = { code: thrown.number, message, data: thrown.data };
    return { exit: 1, line: `${thrown.code}: ${message}`, error };
  }
  const own = (exit: 1 | 2, code: string, details = {}): Described => {
    const error = { code: 0, message, data: { code, retryable: false, ...details } };
    return { exit, line: `runhost: ${message}`, error };
  };
  if (thrown instanceof UsageError) return own(2, "USAGE");
  if (thrown instanceof ConfigError) return own(2, "CONFIGURATION");
  return own(1, "FAILED", thrown instanceof Failure ? thrown.details : {});
}

/** Some errors of the system have a code and no message. */
function readMessage(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.message || String((thrown as NodeJS.ErrnoException).code ?? thrown.name);
}

/** What others wrote must not move a terminal's cursor. */
const toOneLine = (text: string): string =>
  text.replace(/\s*[\r\n]\s*/g, " ").replace(/\p{Cc}/gu, "?");
