// The command line of the benchmark. Refuses, with one line, an unknown option, an unknown figure and
// a number out of range. Used by main.js.

import { parseArgs } from "node:util";
import { figureIds } from "./goals.js";
import { sizes } from "./sizes.js";

/** What the user has to change; shown without a stack. */
export class UsageError extends Error {}

export const usage = `usage: npm run bench -- [options]

  --only P1,P3    these figures only (${figureIds[0]} to ${figureIds.at(-1)})
  --quick         smaller and shorter: for a look while working
  --rounds N      rounds of each measurement, 1 to 20 (3)
  --scale         the large ledger: P7 and P10 on it, claims behind obstacles, a held snapshot
  --soak MINUTES  appends and claims at full speed; heap and RSS of the host over time
  --profile       the five largest costs of the append and the claim path
  --plot [FILE…]  draws a picture of results (the newest, if none is named); measures nothing
  --out FOLDER    where results go (bench-results)

DATABASE_URL names a Postgres to measure on; without it an embedded one is started.`;

/**
 * @typedef {object} Options
 * @property {boolean} help
 * @property {"figures" | "scale" | "soak" | "profile" | "plot"} mode
 * @property {string[]} only
 * @property {keyof typeof sizes} size
 * @property {import("./sizes.js").Size} amounts
 * @property {number} minutes
 * @property {string} out
 * @property {string[]} files
 */

/** @param {readonly string[]} given @returns {Options} */
export function readOptions(given) {
  const { values, positionals } = parse(given);
  const modes = /** @type {const} */ (["scale", "soak", "profile", "plot"])
    .filter((mode) => values[mode] !== undefined);
  if (modes.length > 1) throw new UsageError(`one at a time: --${modes.join(", --")}`);
  const mode = modes[0] ?? "figures";
  if (positionals.length > 0 && mode !== "plot") {
    throw new UsageError(`${positionals[0]} is no option`);
  }
  const size = values.quick ? "quick" : readSize(values.size);
  const rounds = readNumber("rounds", values.rounds, { min: 1, max: 20 });
  const amounts = { ...sizes[size], ...(rounds !== null && { rounds }) };
  return {
    help: values.help === true,
    mode, size, amounts,
    only: readOnly(values.only),
    minutes: readNumber("soak", values.soak, { min: 0.01, max: 1440 }) ?? 0,
    out: values.out ?? "bench-results",
    files: positionals,
  };
}

/** @param {readonly string[]} given */
function parse(given) {
  try {
    return parseArgs({
      args: [...given],
      allowPositionals: true,
      options: {
        only: { type: "string" },
        quick: { type: "boolean" },
        size: { type: "string" },
        rounds: { type: "string" },
        scale: { type: "boolean" },
        soak: { type: "string" },
        profile: { type: "boolean" },
        plot: { type: "boolean" },
        out: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (thrown) {
    const [first = ""] = /** @type {Error} */ (thrown).message.split(/\. |\n/);
    throw new UsageError(first);
  }
}

/** @param {string | undefined} text @returns {keyof typeof sizes} */
function readSize(text = "full") {
  if (Object.hasOwn(sizes, text)) return /** @type {keyof typeof sizes} */ (text);
  throw new UsageError(`--size must be one of ${Object.keys(sizes).join(", ")}`);
}

/** @param {string | undefined} text */
function readOnly(text) {
  if (text === undefined) return figureIds;
  const wanted = text.split(",").map((id) => id.trim().toUpperCase()).filter((id) => id !== "");
  const unknown = wanted.find((id) => !figureIds.includes(id));
  if (wanted.length === 0 || unknown !== undefined) {
    throw new UsageError(`--only takes ${figureIds.join(", ")}, not ${unknown ?? "nothing"}`);
  }
  return figureIds.filter((id) => wanted.includes(id));
}

/**
 * @param {string} name
 * @param {string | undefined} text
 * @param {{ min: number, max: number }} range
 */
function readNumber(name, text, { min, max }) {
  if (text === undefined) return null;
  const number = Number(text);
  if (/^\d{1,4}(\.\d{1,3})?$/.test(text) && number >= min && number <= max
    && (name !== "rounds" || Number.isInteger(number))) return number;
  throw new UsageError(`--${name} must be a number from ${min} to ${max}`);
}
