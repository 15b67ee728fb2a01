// What the runner `report` does with one run: reads the document that its input names, checks the
// links on disk and shows both steps; the report completes the run. A document outside the folder,
// too large or not readable fails it. Called by the worker.

import { access, readFile, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RunFailed } from "runhost/worker";
import { analyzeDocument, listFileLinks, renderReport } from "./report.js";

/**
 * @typedef {import("runhost/worker").ClaimedRun} ClaimedRun
 * @typedef {import("runhost/worker").RunContext} RunContext
 */

/** A document that cannot be reported on, however often it is tried. */
export class DocumentError extends RunFailed {
  /** @param {string} message */
  constructor(message) {
    super(message, { code: "document.unreadable" });
  }
}

const document_bytes_max = 1_048_576;
/** A run may ask to be held while it reads, so that something can happen to it. */
const hold_ms_max = 600_000;

/**
 * @param {{ run: ClaimedRun, ctx: RunContext, folder: string }} parts
 * @returns {Promise<string>} The report.
 */
export async function writeReport({ run, ctx, folder }) {
  const { path, hold_ms } = readInput(run.input);
  // The first attempt only: who takes the run over has nothing to wait for.
  const hold = async () => {
    if (run.dispatch_attempts === 1) await delay(hold_ms, undefined, { signal: ctx.signal });
  };
  const bytes = await runTool(ctx, { name: "read_file", parameters: { path } }, async () => {
    const read = await readDocument(folder, path);
    await hold();
    return { value: read, result: { bytes: read.length } };
  });
  const analysis = analyzeDocument(path, bytes);
  const links = listFileLinks(analysis);
  const parameters = { path, links: links.length };
  const broken = await runTool(ctx, { name: "check_links", parameters }, async () => {
    const missing = await findBroken(folder, links);
    return { value: missing, result: { checked: links.length, broken: missing.length } };
  });
  return renderReport(analysis, broken);
}

/** @param {Record<string, any>} input */
function readInput({ path, hold_ms = 0 }) {
  if (typeof path !== "string" || path === "") throw new DocumentError("input.path names no file");
  if (!Number.isInteger(hold_ms) || hold_ms < 0 || hold_ms > hold_ms_max) {
    throw new DocumentError(`input.hold_ms must be a whole number from 0 to ${hold_ms_max}`);
  }
  return { path, hold_ms };
}

/**
 * @template Value
 * @param {RunContext} ctx
 * @param {{ name: string, parameters: Record<string, unknown> }} tool
 * @param {() => Promise<{ value: Value, result: Record<string, unknown> }>} perform
 */
async function runTool(ctx, { name, parameters }, perform) {
  const tool = ctx.emit.tool(name);
  await tool.started(parameters);
  try {
    const { value, result } = await perform();
    await tool.completed(result);
    return value;
  } catch (thrown) {
    if (thrown instanceof DocumentError) await tool.failed(thrown.message);
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
