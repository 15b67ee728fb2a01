// What the groups of commands share when they declare themselves.

import type { Command } from "commander";
import type { Invocation } from "./output.js";

/** What a command was called with. */
export type Invoke = (command: Command) => Invocation;

export const example = (line: string): string => `\nExample:\n  $ ${line}`;

export const collect = (value: string, before: string[] = []): string[] => [...before, value];

export const addPageOptions = (command: Command): Command => command
  .option("--limit <n>", "at most so many (default: 50)")
  .option("--all", "all of them");
