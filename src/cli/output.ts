// What the command line writes: one result on stdout, as words or with --json as one line of JSON,
// a list as one line for each item; for a failure one line on stderr, with --json also its error
// object on stdout. What the exit codes mean stands in the general help.

import { HostError } from "../client/client.js";
import { ConfigError } from "../config.js";

export interface Invocation {
  environment: NodeJS.ProcessEnv;
  options: { url?: string; token?: string; json?: boolean };
  /** The exit code of a command that did what it was asked and has something to tell by it. */
  finish(exit: number): void;
}

/** Of nobody answered: the same command may succeed later. */
const unanswered = ["UNREACHABLE", "CONNECTION_LOST", "TIMEOUT", "UNAVAILABLE", "OVERLOADED"];
export const exits = {
  refused: 1, unusable: 2, not_found: 3, unanswered: 4, failed: 5, cancelled: 6, timeout: 7,
  interrupted: 130,
} as const;

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

/** One item of a list with --json: a line of its own. */
export const printItem = (item: unknown): void =>
  void process.stdout.write(`${JSON.stringify(item)}\n`);

/** Columns as wide as their widest cell; a cell never breaks its line. */
export function drawTable(
  rows: readonly (readonly string[])[],
  paint: (cell: string) => string = (cell) => cell,
): string[] {
  const clean = rows.map((row) => row.map(toOneLine));
  const widths = clean[0]?.map((_, column) =>
    Math.max(...clean.map((row) => row[column]?.length ?? 0)),
  );
  return clean.map((row) =>
    row.map((cell, column) => {
      const isLast = row.slice(column + 1).every((later) => later === "");
      const space = isLast ? "" : " ".repeat((widths?.[column] ?? 0) - cell.length);
      return paint(cell) + space;
    }).join("  ").trimEnd(),
  );
}

/** Name and value, line by line; what is null is left out. */
export const drawFacts = (
  facts: readonly (readonly [string, string | number | null])[],
): string[] =>
  drawTable(facts.flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])));

export function describeInstant(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A whole number that somebody typed. */
export function readCount(option: string, text: string, max: number): number {
  if (/^\d{1,15}$/.test(text) && Number(text) >= 1 && Number(text) <= max) return Number(text);
  throw new UsageError(`${option}: must be a whole number from 1 to ${max}`);
}

/** Writes a failure and returns its exit code. */
export function printFailure(thrown: unknown, json: boolean): number {
  const { exit, line, error } = describeFailure(thrown);
  process.stderr.write(`${toOneLine(line)}\n`);
  if (json) process.stdout.write(`${JSON.stringify(error)}\n`);
  return exit;
}

interface Described {
  exit: number;
  line: string;
  /** As the protocol spells errors; number 0 where no host gave it. */
  error: { code: number; message: string; data: Record<string, unknown> };
}

function describeFailure(thrown: unknown): Described {
  const message = readMessage(thrown);
  if (thrown instanceof HostError) {
    const error = { code: thrown.number, message, data: thrown.data };
    return { exit: exitOf(thrown.code), line: `${thrown.code}: ${message}`, error };
  }
  const own = (exit: number, code: string, details = {}): Described => {
    const error = { code: 0, message, data: { code, retryable: false, ...details } };
    return { exit, line: `runhost: ${message}`, error };
  };
  if (thrown instanceof UsageError) return own(exits.unusable, "USAGE");
  if (thrown instanceof ConfigError) return own(exits.unusable, "CONFIGURATION");
  return own(exits.refused, "FAILED", thrown instanceof Failure ? thrown.details : {});
}

function exitOf(code: string): number {
  if (code === "NOT_FOUND") return exits.not_found;
  return unanswered.includes(code) ? exits.unanswered : exits.refused;
}

/** Some errors of the system have a code and no message. */
function readMessage(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.message || String((thrown as NodeJS.ErrnoException).code ?? thrown.name);
}

/** What others wrote must not move a terminal's cursor. */
export const toOneLine = (text: string): string =>
  text.replace(/\s*[\r\n]\s*/g, " ").replace(/\p{Cc}/gu, "?");
