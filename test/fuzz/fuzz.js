// S1: a host under a seeded stream of damaged frames. It must neither crash nor leave a rejection
// unhandled, answer or close every time, stay responsive and bounded in memory, and show nobody its
// insides. Afterwards it must stop cleanly.

import { readFileSync } from "node:fs";
import { hostile, readSeedCalls } from "./corpus.js";
import { createJudge } from "./judge.js";
import { sampleFrames } from "./mutate.js";
import { ask, attack, attackOnce } from "./peers.js";
import { makeWorld, startVictim } from "./world.js";

const chunk_frames = 2000;
/** What the bounds allow eight connections, and the allocator's slack. */
const rss_growth_mb_max = 600;

/** Resident memory in MB; 0 where the system does not tell it. @param {number} pid */
function readRss(pid) {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/**
 * @param {import("./options.js").FuzzOptions} options
 * @param {(line: string) => void} print
 */
export async function fuzz({ frames, seed, connections, database_url }, print) {
  print(`seed ${seed}, ${frames} frames, ${connections} connections`);
  const victim = await startVictim({ database_url });
  const judge = createJudge(victim.secrets);
  const { url, admin_token } = victim;
  const calls = readSeedCalls();
  let slowest_seconds = 0;
  let rss_mb_max = 0;
  let sent = 0;
  const began_ms = performance.now();
  try {
    for (const { name, make } of hostile) {
      const outcome = await attackOnce({ url, token: admin_token, judge, name, frame: make() });
      print(`${name}: ${outcome}`);
    }
    const rss_mb_first = readRss(victim.pid);
    for (let chunk = 0; sent < frames && victim.isAlive(); chunk += 1) {
      const count = Math.min(chunk_frames, frames - sent);
      const world = await makeWorld(victim);
      const stream = sampleFrames({ calls, seed: seed + chunk, count }).map((frame, turn) =>
        ({ ...frame, text: withoutWaits(world.fill(String(frame.text), turn)) }));
      const share = Math.ceil(stream.length / connections);
      const tokens = [admin_token, world.token, world.token, null];
      await Promise.all(Array.from({ length: connections }, (_, at) => attack({
        url, judge, token: tokens[at % tokens.length] ?? null,
        frames: stream.slice(at * share, (at + 1) * share),
      })));
      sent += count;
      slowest_seconds = Math.max(slowest_seconds, await ask(url, admin_token));
      rss_mb_max = Math.max(rss_mb_max, readRss(victim.pid));
      if (chunk % 25 === 0) print(`${sent} frames, ${Math.round(rss_mb_max)} MB`);
    }
    if (!victim.isAlive()) judge.offend("the host died", "", victim.complaints.slice(-5).join("\n"));
    if (rss_mb_max - rss_mb_first > rss_growth_mb_max) {
      judge.offend("memory grew", "", `${rss_mb_first} MB to ${rss_mb_max} MB`);
    }
  } finally {
    const { code, signal } = await victim.stop();
    if (code !== 0) judge.offend("did not stop cleanly", "", `${code ?? signal}`);
  }
  for (const line of victim.complaints.slice(0, 20)) judge.offend("complained", "", line);
  return {
    seed, sent, slowest_seconds, rss_mb_max,
    seconds: (performance.now() - began_ms) / 1000,
    codes: Object.fromEntries([...judge.codes].sort()),
    offences: judge.offences,
  };
}

/** A call that waits for minutes would only fill the connection. @param {string} text */
const withoutWaits = (text) => text
  .replace(/"(wait_seconds)":\s*(null|[1-9][\d.]*)/g, '"$1":0')
  .replace(/"method":"run_wait","params":\{(?!})/g, '$&"wait_seconds":0,')
  .replace(/"wait_for_completion":true/g, '"wait_for_completion":false');
