// The words of `npm run fuzz`. Anything unknown or out of range is refused by name.

import { parseArgs } from "node:util";

/** @typedef {{ frames: number, seed: number, connections: number, database_url: string | undefined }} FuzzOptions */

/** @param {string} name @param {string} text @param {number} most */
function readCount(name, text, most) {
  const count = Number(text);
  if (/^\d{1,10}$/.test(text) && count >= 1 && count <= most) return count;
  throw new Error(`--${name}: must be a whole number from 1 to ${most}`);
}

/** @param {string[]} argv @param {NodeJS.ProcessEnv} environment @returns {FuzzOptions} */
export function readOptions(argv, environment) {
  const { values } = parseArgs({
    args: argv,
    options: {
      frames: { type: "string" }, seed: { type: "string" }, quick: { type: "boolean" },
      connections: { type: "string", default: "8" },
    },
  });
  const frames = values.frames ?? (values.quick ? "4000" : "1000000");
  return {
    frames: readCount("frames", frames, 1e8),
    seed: readCount("seed", values.seed ?? String((Date.now() % 1e9) + 1), 2 ** 31 - 1),
    connections: readCount("connections", values.connections, 1000),
    database_url: environment["DATABASE_URL"] || undefined,
  };
}
