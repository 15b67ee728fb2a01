// The command line of the demo. Refuses, with one line, an unknown option, a number out of range,
// and a folder that is not there. Used by demo.js.

import { realpath, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** What the user has to change; shown without a stack. */
export class UsageError extends Error {}

export const usage = "usage: npm run demo -- [FOLDER] [--keep] [--workers N]";

/** One worker is killed, so another has to be there. */
const workers = { default: 3, min: 2, max: 16 };

/** @param {readonly string[]} given */
export async function readOptions(given) {
  const { values, positionals } = parse(given);
  if (positionals.length > 1) throw new UsageError(`only one folder, not ${positionals.length}`);
  return {
    help: values.help === true,
    keep: values.keep === true,
    workers: readWorkers(values.workers),
    folder: await openFolder(positionals[0]),
  };
}

/** @param {readonly string[]} given */
function parse(given) {
  try {
    return parseArgs({
      args: [...given],
      allowPositionals: true,
      options: {
        keep: { type: "boolean" },
        workers: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (thrown) {
    const [first = ""] = /** @type {Error} */ (thrown).message.split(/\. |\n/);
    throw new UsageError(first);
  }
}

/** @param {string | undefined} text */
function readWorkers(text) {
  if (text === undefined) return workers.default;
  const number = Number(text);
  if (/^\d{1,3}$/.test(text) && number >= workers.min && number <= workers.max) return number;
  throw new UsageError(`--workers must be a whole number from ${workers.min} to ${workers.max}`);
}

/**
 * The folder of the documents; this repository when none is named.
 * @param {string | undefined} named
 */
async function openFolder(named) {
  if (named === undefined) return realpath(fileURLToPath(new URL("../..", import.meta.url)));
  const found = await stat(named).catch(() => null);
  if (found === null) throw new UsageError(`there is no folder ${named}`);
  if (!found.isDirectory()) throw new UsageError(`${named} is not a folder`);
  return realpath(named);
}
