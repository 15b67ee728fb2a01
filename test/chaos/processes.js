// Every process that chaos starts: hosts, workers, Postgres. Whoever starts one here need not
// remember to stop it: `stopAll` ends what is left.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** @param {string} name */
export const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));
export const program = pathOf("../../dist/cli/main.js");

/** Nothing of the caller's own configuration reaches what is started here. */
const inherited = () => Object.fromEntries(Object.entries(process.env).filter(([name]) =>
  !name.startsWith("RUNHOST_") && name !== "DATABASE_URL"));

export function createProcesses() {
  /** @type {Set<import("node:child_process").ChildProcess>} */
  const living = new Set();
  let open = true;

  /** @param {string} script @param {string[]} args @param {Record<string, string>} environment
   * @param {{ leashed?: boolean }} [how] false: it looks after its stdin by itself */
  function start(script, args, environment, { leashed = true } = {}) {
    if (!open) throw new Error("the play is over");
    // A group of its own: Ctrl-C reaches us, and we decide in which order the others end.
    const child = spawn(process.execPath, [...(leashed ? [pathOf("./leashed.js")] : []), script, ...args], {
      env: { ...inherited(), ...environment }, stdio: ["pipe", "pipe", "pipe"], detached: true,
    });
    living.add(child);
    child.stdin.on("error", () => undefined);
    const ended = once(child, "exit").then(([code, signal]) => {
      living.delete(child);
      return /** @type {{ code: number | null, signal: string | null }} */ ({ code, signal });
    });
    return { child, pid: /** @type {number} */ (child.pid), ended };
  }

  return {
    start,
    /** @param {import("node:child_process").ChildProcess} [spared] */
    async stopAll(spared) {
      for (const child of [...living]) {
        if (child === spared) continue;
        // Not before its last words were read.
        const gone = once(child, "close");
        child.kill("SIGKILL");
        await gone;
      }
    },
    /** From now on nothing is started: a figure that was cut off may still try. */
    shut() {
      open = false;
    },
  };
}

/** @typedef {ReturnType<typeof createProcesses>} Processes */
/** @typedef {ReturnType<Processes["start"]>} Started */

/** Yields what a child says, one JSON object a line. @param {Started} started
 * @param {(line: any) => void} hear */
export function hearLines({ child }, hear) {
  const { stdout } = child;
  if (stdout === null) throw new Error("the child's stdout is not a pipe");
  createInterface({ input: stdout }).on("line", (text) => {
    if (text.startsWith("{")) hear(JSON.parse(text));
  });
}

/** Below the ports that the system gives to outgoing connections, which could take one that a host
 * leaves for a moment. */
const ports = { from: 20_000, to: 32_000 };

/** @param {Set<number>} taken */
export async function findPort(taken) {
  for (;;) {
    const port = ports.from + Math.floor(Math.random() * (ports.to - ports.from));
    if (taken.has(port)) continue;
    const probe = createServer();
    const free = await new Promise((resolve) => {
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
    });
    if (!free) continue;
    taken.add(port);
    return port;
  }
}

/**
 * One host of the fleet: the same port and data directory over all its lives.
 * @param {{
 *   processes: Processes, port: number, log_file: string, environment: Record<string, string>,
 * }} options
 */
export function createHostProcess({ processes, port, log_file, environment }) {
  /** @type {Started | null} */
  let life = null;
  /** Errors that it logged, words on stderr, ends that nobody asked for. @type {string[]} */
  const complaints = [];
  let asked_to_end = false;
  let lives = 0;

  async function start() {
    const started = processes.start(program, ["serve"], { ...environment, RUNHOST_PORT: String(port) });
    life = started;
    lives += 1;
    asked_to_end = false;
    const { stdout, stderr } = started.child;
    const ready = new Promise((resolve) => {
      createInterface({ input: stdout }).on("line", (line) => {
        appendFileSync(log_file, `${line}\n`);
        if (/"level":(50|60)/.test(line)) complaints.push(line.slice(0, 400));
        if (line.includes('"msg":"ready"')) resolve(undefined);
      });
    });
    createInterface({ input: stderr }).on("line", (line) => {
      appendFileSync(log_file, `${line}\n`);
      complaints.push(line.slice(0, 400));
    });
    void started.ended.then(({ code, signal }) => {
      if (life === started) life = null;
      if (!asked_to_end) complaints.push(`the host ended by itself: ${signal ?? code}`);
    });
    const ended = await Promise.race([ready, started.ended]);
    if (ended) throw new Error(`a host did not start: ${complaints.slice(-3).join(" | ")}`);
  }

  return {
    port,
    url: `ws://127.0.0.1:${port}/rpc`,
    http_url: `http://127.0.0.1:${port}`,
    complaints,
    start,
    lives: () => lives,
    isAlive: () => life !== null,
    /** Resolves with its end. @param {NodeJS.Signals} signal */
    async end(signal) {
      if (life === null) return { code: null, signal: null };
      asked_to_end = true;
      const { child, ended } = life;
      child.kill(signal);
      return ended;
    },
    async isReady() {
      try {
        const signal = AbortSignal.timeout(6000);
        return (await fetch(`http://127.0.0.1:${port}/readyz`, { signal })).status === 200;
      } catch {
        return false;
      }
    },
    /** The value of a metric without its labels' braces matched exactly. @param {string} name */
    async readMetric(name) {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      const line = text.split("\n").find((one) => one.startsWith(`${name} `));
      return line === undefined ? Number.NaN : Number(line.slice(name.length + 1));
    },
  };
}

/** @typedef {ReturnType<typeof createHostProcess>} HostProcess */
