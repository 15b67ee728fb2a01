// Keeps what was measured: one JSON file per run with everything in it, a copy of it as latest.json,
// and a picture of the rows. Draws that picture again from any such files.

import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { arch, cpus, platform, totalmem } from "node:os";
import { join } from "node:path";
import { goals } from "./goals.js";
import { UsageError } from "./options.js";
import { drawRows } from "./plot.js";

/** @param {string} postgres @returns {string[]} */
export function describeMachine(postgres) {
  const [cpu] = cpus();
  const memory_gib = Math.round(totalmem() / 2 ** 30);
  return [
    `Node ${process.version}, ${platform()} ${arch()}, ${cpus().length} × ${cpu?.model.trim()}, ` +
      `${memory_gib} GiB`,
    `${postgres}; hosts, peers and load on this machine`,
  ];
}

/** @returns {string | null} */
function readCommit() {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], {
      encoding: "utf8", stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return null;
  }
}

/**
 * @param {import("./options.js").Options} options
 * @param {{ machine: string[], failures: string[], remarks: string[], found: Record<string, unknown> }} measured
 * @returns {Promise<string[]>} the files
 */
export async function keepResults({ mode, size, amounts, out }, measured) {
  const { machine, failures, remarks, found } = measured;
  const at = new Date().toISOString();
  const text = JSON.stringify({
    at, commit: readCommit(), mode, size, amounts, machine, failures, remarks, ...found,
  }, null, 2);
  const name = `${mode}-${at.replace(/[:.]/g, "-")}`;
  const files = [join(out, `${name}.json`)];
  await writeFile(join(out, `${name}.json`), text);
  if (mode !== "figures") return files;
  await writeFile(join(out, "latest.json"), text);
  const rows = /** @type {import("./rows.js").Row[]} */ (found["rows"] ?? []);
  if (rows.length === 0) return files;
  await writeFile(join(out, `${name}.svg`), drawRows(rows, [...machine, `${at}, ${size}`]));
  return [...files, join(out, `${name}.svg`)];
}

/**
 * Of a figure that several files hold, the last one's row is drawn.
 * @param {import("./options.js").Options} options
 * @returns {Promise<string>} the picture's file
 */
export async function drawResults({ files, out }) {
  const named = files.length === 0 ? [join(out, "latest.json")] : files;
  const results = await Promise.all(named.map(readResults));
  const rows = new Map(results.flatMap((result) =>
    result.rows.map((/** @type {import("./rows.js").Row} */ row) => [row.key, row])));
  const last = results.at(-1);
  const picture = (named.at(-1) ?? "latest").replace(/\.json$/, "") + ".svg";
  const sizes = [...new Set(results.map(({ size }) => size))].join(" and ");
  const captions = [...last.machine, `${last.at}, ${sizes}`];
  const ordered = Object.keys(goals).flatMap((key) => rows.get(key) ?? []);
  await writeFile(picture, drawRows(ordered, captions));
  return picture;
}

/** @param {string} file @returns {Promise<any>} */
async function readResults(file) {
  const text = await readFile(file, "utf8").catch(() => null);
  if (text === null) throw new UsageError(`${file} cannot be read; measure first`);
  const result = JSON.parse(text);
  if (!Array.isArray(result.rows)) throw new UsageError(`${file} holds no rows`);
  return result;
}
