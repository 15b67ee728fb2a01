// The words of `npm run chaos`. Anything unknown or out of range is refused by name.

import { parseArgs } from "node:util";

/** @typedef {"full" | "quick" | "smoke"} Size */
/**
 * @typedef {{
 *   size: Size, only: readonly string[] | null, seed: number, keep: boolean, json: string,
 *   database_url: string | undefined,
 * }} ChaosOptions
 */

/** @param {string} text @param {number} most */
function readSeed(text, most) {
  const seed = Number(text);
  if (/^\d{1,10}$/.test(text) && seed >= 1 && seed <= most) return seed;
  throw new Error(`--seed: must be a whole number from 1 to ${most}`);
}

/** @param {string | undefined} text @param {readonly string[]} known */
function readOnly(text, known) {
  if (text === undefined) return null;
  const named = text.split(",").map((name) => name.trim().toUpperCase()).filter((name) => name !== "");
  const unknown = named.filter((name) => !known.includes(name));
  if (named.length > 0 && unknown.length === 0) return named;
  throw new Error(`--only: ${unknown.join(", ") || "nothing"} is no figure; there are ${known.join(", ")}`);
}

/**
 * @param {string[]} argv @param {NodeJS.ProcessEnv} environment
 * @param {readonly string[]} known figures @returns {ChaosOptions}
 */
export function readOptions(argv, environment, known) {
  const { values } = parseArgs({
    args: argv,
    options: {
      quick: { type: "boolean" }, smoke: { type: "boolean" }, only: { type: "string" },
      seed: { type: "string" }, keep: { type: "boolean" }, json: { type: "string" },
    },
  });
  const seed = readSeed(values.seed ?? String((Date.now() % 1e9) + 1), 2 ** 31 - 1);
  return {
    size: values.smoke ? "smoke" : values.quick ? "quick" : "full",
    only: readOnly(values.only, known),
    seed,
    keep: values.keep ?? false,
    json: values.json ?? `bench-results/chaos-${seed}.json`,
    database_url: environment["DATABASE_URL"] || undefined,
  };
}
