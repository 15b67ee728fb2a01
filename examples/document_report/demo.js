// The demo: a report on every document of a folder, written by several worker processes through a
// real host, with a worker killed and runs cancelled on the way. Exits 0 only if the ledger shows
// that every run ended as it had to; 2 for a wrong command line. Leaves no process behind.

import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { cancelQueued, cancelRunning, createRun, killWorker } from "./acts.js";
import { documents_max, findDocuments } from "./documents.js";
import { startFleet } from "./fleet.js";
import { openHost, registerPlugins } from "./host.js";
import { countRuns, hasOpenRuns, mapParallel, readLedger } from "./ledger.js";
import { readOptions, usage, UsageError } from "./options.js";
import { createProgress, renderSample, renderSummary, renderTable } from "./table.js";
import { judge } from "./verdict.js";

/**
 * @typedef {Awaited<ReturnType<typeof readOptions>>} Options
 * @typedef {import("./host.js").AtEnd} AtEnd
 * @typedef {import("./documents.js").Document} Document
 * @typedef {import("./acts.js").Stage} Stage
 * @typedef {import("./fleet.js").Fleet} Fleet
 * @typedef {ReturnType<typeof createProgress>} Progress
 */

/** Short, so that the runs of the killed worker are claimed again soon. */
const lease_seconds = 4;
const progress_every_ms = 250;
/** For machines on which everything takes long; nothing waits for it. */
const time_limit_seconds = 300;

class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`stopped by ${signal}`);
    this.exit_code = signal === "SIGINT" ? 130 : 143;
  }
}

async function main() {
  const options = await readOptions(process.argv.slice(2));
  if (options.help) return void console.log(usage);
  const interrupted = watchSignals();
  /** @type {(() => unknown)[]} */
  const stops = [];
  let over = false;
  /** @type {AtEnd} */
  const atEnd = (stop) => void (over ? stop() : stops.push(stop));
  try {
    const performed = perform(options, atEnd);
    const { session, host, faults } = await Promise.race([performed, interrupted]);
    process.exitCode = faults.length === 0 ? 0 : 1;
    if (options.keep) await keepHost({ session, host, interrupted });
  } finally {
    over = true;
    for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
  }
}

/** Rejects when a signal asks to stop; later signals do not cut the cleaning up short. */
function watchSignals() {
  /** @type {Promise<never>} */
  const interrupted = new Promise((_resolve, reject) => {
    for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
      process.on(signal, () => reject(new Interrupted(signal)));
    }
  });
  interrupted.catch(() => undefined);
  return interrupted;
}

/**
 * @param {Options} options
 * @param {AtEnd} atEnd
 */
async function perform({ folder, keep, workers }, atEnd) {
  const progress = createProgress(process.stdout);
  const documents = await chooseDocuments(folder, progress);
  const host = await openHost({ keep, atEnd });
  progress.say(`host at ${host.url}, database: ${host.database}`);
  const { frontend, documents_token } = await registerPlugins({ ...host, atEnd });
  const session = `report-${Date.now().toString(36)}-${randomBytes(4).toString("hex")}`;
  const environment = {
    WORKER_URL: host.url,
    WORKER_TOKEN: documents_token,
    WORKER_QUEUE: session,
    DEMO_FOLDER: folder,
    DEMO_LEASE_SECONDS: String(lease_seconds),
  };
  const fleet = await startFleet({
    file: new URL("worker.js", import.meta.url),
    runtime_ids: Array.from({ length: workers }, (_, index) => `${session}-worker-${index + 1}`),
    needed: 1,
    environment,
    atEnd,
  });
  progress.say(`${workers} workers are ready`);
  /** @type {Stage} */
  const stage = { frontend, session, planned: [] };
  const killed = await playRuns({ stage, documents, fleet, progress });
  await fleet.stop();

  const { planned } = stage;
  const entries = await readLedger(frontend, session);
  console.log(`\n${renderTable(planned, entries)}\n\n${renderSummary(entries)}\n`);
  console.log(`One report, as the ledger holds it:\n\n${renderSample(planned, entries)}\n`);
  const faults = [...judge({ planned, entries, killed }), ...fleet.problems];
  for (const fault of faults) console.log(`fault: ${fault}`);
  console.log(faults.length === 0 ? "every run ended as it had to" : "the demo failed");
  return { session, host, faults };
}

/**
 * @param {string} folder
 * @param {Progress} progress
 */
async function chooseDocuments(folder, progress) {
  const { documents, over_bound, too_large, unreadable } = await findDocuments(folder);
  if (documents.length === 0) throw new UsageError(`${folder} holds no document to report on`);
  progress.say(`${documents.length} documents in ${folder}`);
  if (over_bound > 0) {
    progress.say(`left out: ${over_bound}, to keep to ${documents_max}`);
  }
  if (too_large > 0) progress.say(`left out: ${too_large} larger than 1 MiB`);
  if (unreadable > 0) progress.say(`left out: ${unreadable} that cannot be read`);
  return documents;
}

/**
 * Has the runs created and the acts played, and waits until all runs have ended.
 * @param {object} parts
 * @param {Stage} parts.stage
 * @param {Document[]} parts.documents
 * @param {Fleet} parts.fleet
 * @param {Progress} parts.progress
 */
async function playRuns({ stage, documents, fleet, progress }) {
  const over = new AbortController();
  let played = false;
  const acts = playActs({ stage, documents, fleet, progress }).then((killed) => {
    played = true;
    return killed;
  });
  const watched = watchRuns(stage, { progress, isPlayed: () => played, signal: over.signal });
  const late = delay(time_limit_seconds * 1000, undefined, { signal: over.signal }).then(() => {
    throw new Error(`not every run had ended after ${time_limit_seconds} s`);
  });
  late.catch(() => undefined);
  try {
    const [killed] = await Promise.race([Promise.all([acts, watched]), late, fleet.lost]);
    return killed;
  } finally {
    over.abort();
  }
}

/**
 * One report for each document; the longest one is also that of the runs that something happens to.
 * @param {Parameters<typeof playRuns>[0]} parts
 */
async function playActs({ stage, documents, fleet, progress }) {
  const { path } = chooseLongest(documents);
  const others = documents.filter((document) => document.path !== path);
  await cancelQueued(stage, path);
  progress.say(`cancelled a queued run: ${path}`);
  const playOnLongest = async () => {
    await cancelRunning(stage, path);
    progress.say(`cancelled a run at work: ${path}`);
    const killed = await killWorker(stage, { path, fleet });
    progress.say(`killed ${killed.runtime_id} at work: ${path}; lease ${lease_seconds} s`);
    return killed;
  };
  const created = mapParallel(others, (other) =>
    createRun(stage, { path: other.path, act: "report" }),
  );
  const [killed] = await Promise.all([playOnLongest(), created]);
  return killed;
}

/**
 * @param {Stage} stage
 * @param {{ progress: Progress, isPlayed: () => boolean, signal: AbortSignal }} parts
 */
async function watchRuns({ frontend, session }, { progress, isPlayed, signal }) {
  while (!signal.aborted) {
    const may_end = isPlayed();
    const is_over = may_end && !(await hasOpenRuns(frontend, session));
    progress.update(await countRuns(frontend, session));
    if (is_over) return;
    await delay(progress_every_ms);
  }
}

/**
 * The longest Markdown document, else the longest of all.
 * @param {Document[]} documents
 */
function chooseLongest(documents) {
  const markdown = documents.filter(({ path }) => path.endsWith(".md"));
  const candidates = markdown.length > 0 ? markdown : documents;
  return candidates.reduce((longest, one) => (one.bytes > longest.bytes ? one : longest));
}

/**
 * @param {object} parts
 * @param {string} parts.session
 * @param {Awaited<ReturnType<typeof openHost>>} parts.host
 * @param {Promise<never>} parts.interrupted
 */
async function keepHost({ session, host, interrupted }) {
  const where = host.token_file ?? "the one of RUNHOST_ADMIN_TOKEN";
  const asked = JSON.stringify({ conversation_id: session, limit: 5 });
  const settings = `RUNHOST_URL=${host.url} RUNHOST_DATA_DIR='${host.data_dir}'`;
  console.log(`
The host stays up until Ctrl-C.
  address      ${host.url}
  admin token  ${where}
Try, in another terminal:
  ${settings} node dist/cli/main.js call run_list '${asked}'`);
  await interrupted.catch(() => undefined);
}

main().catch((cause) => {
  const message = cause instanceof Error ? cause.message : String(cause);
  process.stderr.write(`demo: ${message}\n`);
  if (cause instanceof UsageError) process.stderr.write(`${usage}\n`);
  process.exitCode = chooseExitCode(cause);
});

/** @param {unknown} cause */
function chooseExitCode(cause) {
  if (cause instanceof Interrupted) return cause.exit_code;
  return cause instanceof UsageError ? 2 : 1;
}
