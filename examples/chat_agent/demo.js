// The demo: two people talk to a chat agent at the same time, through a real host. Exits 0 only if
// what the host holds in the end is what had to be said, remembered and decided; 2 for a wrong
// command line. Leaves no process behind.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { startFleet } from "../document_report/fleet.js";
import { openHost } from "../document_report/host.js";
import { registerCast } from "./cast.js";
import { readConversation } from "./ledger.js";
import { parseKnowledge } from "./rules/knowledge.js";
import { readIntents } from "./rules/intents.js";
import { writeScript } from "./script.js";
import { openSurface } from "./surface.js";
import { judge } from "./verdict.js";

/**
 * @typedef {import("../document_report/host.js").AtEnd} AtEnd
 * @typedef {import("./surface.js").Surface} Surface
 * @typedef {import("./verdict.js").Told} Told
 */

const usage = 'usage: npm run chat -- ["A QUESTION OF YOUR OWN"]';
/** From the moment at which the host is there; for machines on which everything takes long. */
const time_limit_seconds = 300;

class UsageError extends Error {}

class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`stopped by ${signal}`);
    this.exit_code = signal === "SIGINT" ? 130 : 143;
  }
}

async function main() {
  const own_question = readQuestion(process.argv.slice(2));
  const interrupted = watchSignals();
  /** @type {(() => unknown)[]} */
  const stops = [];
  let over = false;
  /** @type {AtEnd} */
  const atEnd = (stop) => void (over ? stop() : stops.push(stop));
  try {
    const faults = await Promise.race([perform({ own_question, atEnd }), interrupted]);
    process.exitCode = faults.length === 0 ? 0 : 1;
  } finally {
    over = true;
    for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
  }
}

/** @param {readonly string[]} given */
function readQuestion([question, ...others]) {
  if (question === undefined) return null;
  if (others.length > 0) throw new UsageError("only one question; put it in quotes");
  const [{ kind }] = readIntents(question);
  if (kind !== "ask") throw new UsageError(`"${question}" is not a question about runhost`);
  return question.trim();
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
 * @param {{ own_question: string | null, atEnd: AtEnd }} parts
 * @returns {Promise<string[]>} Faults.
 */
async function perform({ own_question, atEnd }) {
  const topics = parseKnowledge(await readFile(new URL("knowledge.md", import.meta.url), "utf8"));
  const people = writeScript(topics, own_question);
  const host = await openHost({ keep: false, atEnd });
  console.log(`host at ${host.url}, database: ${host.database}`);
  return Promise.race([talk({ host, people, atEnd }), startTimer(atEnd)]);
}

/**
 * Fails when time is up, unless the end comes first.
 * @param {AtEnd} atEnd
 * @returns {Promise<never>}
 */
function startTimer(atEnd) {
  return new Promise((_resolve, reject) => {
    const late = () => reject(new Error(`not over after ${time_limit_seconds} s`));
    const timer = setTimeout(late, time_limit_seconds * 1000);
    atEnd(() => clearTimeout(timer));
  });
}

/**
 * @param {object} parts
 * @param {Awaited<ReturnType<typeof openHost>>} parts.host
 * @param {import("./script.js").Person[]} parts.people
 * @param {AtEnd} parts.atEnd
 */
async function talk({ host, people, atEnd }) {
  const { agent, agent_token, openSurfaceHost } = await registerCast({ ...host, atEnd });
  const session = `chat-${Date.now().toString(36)}-${randomBytes(4).toString("hex")}`;
  const runtime_ids = people.map((_, index) => `${session}-agent-${index + 1}`);
  const agents = await startFleet({
    file: new URL("agent.js", import.meta.url),
    runtime_ids,
    needed: runtime_ids.length,
    environment: { WORKER_URL: host.url, WORKER_TOKEN: agent_token, WORKER_QUEUE: session },
    atEnd,
  });
  console.log(`${runtime_ids.length} agents are ready\n`);

  const width = Math.max(...people.map(({ id }) => id.length));
  /**
   * @param {string} who
   * @param {string} text
   */
  const say = (who, text) => console.log(`${who.padEnd(width)} ${text}`);
  const surfaces = await Promise.all(
    people.map(async (person) => {
      return openSurface({ host: await openSurfaceHost(), person, session, say });
    }),
  );
  await Promise.race([playAll(surfaces), agents.lost]);
  await agents.stop();
  /** @type {Told[]} */
  const told = [];
  for (const surface of surfaces) {
    told.push({ ...surface, held: await readConversation(surface, { agent, session }) });
  }
  return report(told);
}

/**
 * All conversations at once; where they add to a line, they wait for each other, so that runs of
 * all of them are at work at that moment.
 * @param {readonly Surface[]} surfaces
 */
async function playAll(surfaces) {
  let missing = surfaces.length;
  let open = () => undefined;
  const opened = new Promise((resolve) => (open = () => void resolve(undefined)));
  const meet = async () => {
    missing -= 1;
    if (missing === 0) open();
    await opened;
  };
  const played = surfaces.map(async (surface) => {
    for (const line of surface.person.lines) await surface.play(line, meet);
  });
  await Promise.all(played);
}

/** @param {readonly Told[]} told */
function report(told) {
  console.log("");
  for (const { person, sent, held } of told) {
    const added = sent.filter(({ disposition }) => disposition === "absorbed").length;
    const decided = held.interactions.map(({ submission }) => submission?.action_id).join(", ");
    const remembered = JSON.stringify(held.remembered);
    console.log(
      `${person.id}: ${held.runs.length} runs, ${added} message taken in by a run at work, ` +
        `approvals: ${decided}, remembered: ${remembered}`,
    );
  }
  console.log(`answers counted by both agents together: ${told[0]?.held.answers}\n`);
  const faults = judge(told);
  for (const fault of faults) console.log(`fault: ${fault}`);
  console.log(faults.length === 0 ? "both conversations went as they had to" : "the demo failed");
  return faults;
}

main().catch((cause) => {
  process.stderr.write(`chat: ${cause instanceof Error ? cause.message : cause}\n`);
  if (cause instanceof UsageError) process.stderr.write(`${usage}\n`);
  process.exitCode = chooseExitCode(cause);
});

/** @param {unknown} cause */
function chooseExitCode(cause) {
  if (cause instanceof Interrupted) return cause.exit_code;
  return cause instanceof UsageError ? 2 : 1;
}
