// What the runner `report` does with one run: reads the document that its input names, checks the
// links on disk and emits each step, the report and the end of the run. A document outside the
// folder, too large or not readable ends the run as failed. Called by the worker.

import { access, readFile, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { analyzeDocument, listFileLinks, renderReport } from "../report.js";

/**
 * @typedef {import("./held_run.js").HeldRun} HeldRun
 * @typedef {import("runhost/client").Host} Host
 */

/** A document that cannot be reported on, however often it is tried. */
export class DocumentError extends Error {}

const document_bytes_max = 1_048_576;

/**
 * @param {object} parts
 * @param {HeldRun} parts.held
 * @param {Host} parts.connection
 * @param {string} parts.folder
 */
export async function writeReport({ held, connection, folder }) {
  if (await hasReport(held, connection)) {
    return held.emit("run.completed", { finish_reason: "stop" });
  }
  const { path, pace_ms } = readInput(held.item.input);
  const pause = () => delay(pace_ms, undefined, { signal: held.signal });

  const bytes = await runTool(held, { name: "read_file", parameters: { path } }, async () => {
    const read = await readDocument(folder, path);
    await pause();
    return { value: read, result: { bytes: read.length } };
  });
  const analysis = analyzeDocument(path, bytes);
  const links = listFileLinks(analysis);
  const parameters = { path, links: links.length };
  const broken = await runTool(held, { name: "check_links", parameters }, async () => {
    const missing = await findBroken(folder, links);
    await pause();
    return { value: missing, result: { checked: links.length, broken: missing.length } };
  });
  const content = renderReport(analysis, broken);
  await held.emit("message.completed", { message: { role: "assistant", content } });
  await held.emit("run.completed", { finish_reason: "stop" });
}

/**
 * A worker before this one may have stored the report and died before it ended the run.
 * @param {HeldRun} held
 * @param {Host} connection
 */
async function hasReport({ item }, connection) {
  if (item.last_sequence === 0) return false;
  const asked = { run_id: item.run_id, direction: "backward", limit: 1 };
  const page = await connection.call("run_events_page", asked);
  return page.items[0]?.type === "message.completed";
}

/** @param {Record<string, any>} input */
function readInput({ path, pace_ms = 0 }) {
  if (typeof path !== "string" || path === "") throw new DocumentError("input.path names no file");
  if (!Number.isInteger(pace_ms) || pace_ms < 0 || pace_ms > 60_000) {
    throw new DocumentError("input.pace_ms must be a whole number from 0 to 60000");
  }
  return { path, pace_ms };
}

/**
 * @template Value
 * @param {HeldRun} held
 * @param {{ name: string, parameters: object }} tool
 * @param {() => Promise<{ value: Value, result: object }>} perform
 */
async function runTool(held, { name, parameters }, perform) {
  const called = { tool_call_id: `${name}-${held.item.claim_epoch}`, tool_name: name };
  await held.emit("tool.call.started", { ...called, parameters });
  try {
    const { value, result } = await perform();
    await held.emit("tool.call.completed", { ...called, result });
    return value;
  } catch (thrown) {
    if (thrown instanceof DocumentError) {
      await held.emit("tool.call.completed", { ...called, error: thrown.message });
    }
    throw thrown;
  }
}

/**
 * The path comes from whoever created the run, so it may not lead out of the folder.
 * @param {string} folder
 * @param {string} path
 */
async function readDocument(folder, path) {
  try {
    const place = await realpath(resolve(folder, path));
    const inside = relative(await realpath(folder), place);
    if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
      throw new DocumentError(`${path} lies outside the folder`);
    }
    const { size } = await stat(place);
    if (size > document_bytes_max) throw new DocumentError(`${path} is larger than 1 MiB`);
    return await readFile(place);
  } catch (thrown) {
    if (thrown instanceof DocumentError) throw thrown;
    const { code } = /** @type {NodeJS.ErrnoException} */ (thrown);
    throw new DocumentError(`${path} cannot be read (${code})`);
  }
}

/**
 * @template {{ place: string }} FileLink
 * @param {string} folder
 * @param {readonly FileLink[]} links
 */
async function findBroken(folder, links) {
  /** @param {string} place */
  const exists = (place) => access(join(folder, place)).then(() => true, () => false);
  const places = [...new Set(links.map(({ place }) => place))];
  const found = new Map();
  for (const place of places) found.set(place, await exists(place));
  return links.filter(({ place }) => !found.get(place));
}
