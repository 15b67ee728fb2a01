// S2: peers that never finish what they begin. Each is closed in time whatever it does, the host's memory
// stays where it was, and clients that do prove who they are go on as before.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { Client } from "../support/client.js";
import { useClone } from "../support/clone.js";
import { admin_token, isFull, rest, startHostProcess, type HostProcess } from "./fleet.js";

const clone = useClone();
const peers = isFull ? 5000 : 280;
/** 10 s for who is asked for an identity, and half of one for the way there and back. To this comes what
    the machine held up this process or the host, as measured beside. */
const closed_ms_max = 10_500;
const growth_mb_max = 400;

let host: HostProcess;
beforeAll(async () => {
  // As `npm start` does.
  host = await startHostProcess(clone().url, { NODE_OPTIONS: "--max-semi-space-size=32" });
}, 60_000);
afterAll(() => host.stop());

const head = "GET /rpc HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
  + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/** A byte a second, of what would be a frame of 100 bytes after the upgrade. */
const drip = (socket: Socket, text: string): void => {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer);
    else socket.write(text[at++ % text.length]!, "latin1");
  }, 1000);
  socket.once("close", () => clearInterval(timer));
};

const kinds: Record<string, (socket: Socket) => void> = {
  "says nothing": () => undefined,
  "sends half an upgrade": (socket) => void socket.write(head.slice(0, 60)),
  "sends an upgrade byte by byte": (socket) => drip(socket, head),
  "sends headers without end": (socket) => {
    socket.write("GET /rpc HTTP/1.1\r\nHost: localhost\r\n");
    drip(socket, "x: y\r\n");
  },
  "never proves an identity": (socket) => void socket.write(head),
  "sends a frame byte by byte": (socket) => {
    socket.write(head);
    once(socket, "data").then(() => drip(socket, "\x81\xe4\0\0\0\0 "), () => undefined);
  },
  "sends a body byte by byte": (socket) => {
    socket.write("POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n");
    drip(socket, "x");
  },
};

interface Ended {
  kind: string;
  after_ms: number;
}

function attack(kind: string, act: (socket: Socket) => void): Promise<Ended> {
  return new Promise((resolve) => {
    const socket = connect(host.port, "127.0.0.1");
    let began_ms = 0;
    socket.on("error", () => undefined).on("data", () => undefined);
    socket.once("connect", () => {
      began_ms = performance.now();
      act(socket);
    });
    socket.once("close", () => resolve({ kind, after_ms: performance.now() - began_ms }));
  });
}

interface Honest {
  /** How long each call took since it was last asked; rejects once one has failed. */
  took(): Promise<number[]>;
  stop(): void;
}

function startHonest(count: number): Honest {
  const script = fileURLToPath(new URL("honest_child.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, host.url, admin_token, String(count)],
    { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const failed = once(child, "exit").then(() => Promise.reject(new Error("an honest client was stopped")));
  failed.catch(() => undefined);
  return {
    async took() {
      const line = once(lines, "line");
      child.stdin.write("\n");
      return JSON.parse((await Promise.race([line, failed]))[0]);
    },
    stop: () => child.stdin.end(),
  };
}

/** On a connection of its own. */
async function askFreshly(): Promise<void> {
  const headers = { connection: "close" };
  await (await fetch(`${host.http_url}/healthz`, { headers })).text();
}

/** The longest that this process, and an answer of the host that needs nothing, were held up. */
function watchMachine() {
  let own_ms = 0;
  let host_ms = 0;
  let watching = true;
  let last_ms = performance.now();
  const timer = setInterval(() => {
    own_ms = Math.max(own_ms, performance.now() - last_ms - 50);
    last_ms = performance.now();
  }, 50);
  const asking = (async () => {
    for (; watching; await rest(100)) {
      const began_ms = performance.now();
      await askFreshly();
      host_ms = Math.max(host_ms, performance.now() - began_ms);
    }
  })();
  return async () => {
    watching = false;
    await asking;
    clearInterval(timer);
    return { own_ms: Math.round(own_ms), host_ms: Math.round(host_ms) };
  };
}

const readRss = (): number => Number(
  /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${host.pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
const p99 = (all: number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length * 0.99)]!;

test(`${peers} of them are closed in time, and honest clients go on`, { timeout: 240_000 }, async () => {
  const honest = startHonest(4);
  onTestFinished(() => honest.stop());
  await honest.took();
  // What they do at first, connecting and warming the host up, is not counted.
  await rest(isFull ? 3000 : 500);
  await honest.took();
  await rest(isFull ? 10_000 : 1500);
  const quiet_ms = await honest.took();
  const machine = watchMachine();
  const names = Object.keys(kinds);
  const attacks: Promise<Ended>[] = [];
  for (let at = 0; at < peers; at += 1) {
    const kind = names[at % names.length]!;
    attacks.push(attack(kind, kinds[kind]!));
    // The host takes one connection out of the system's queue at each turn of its loop: a fresh one that
    // is answered tells that all before it were taken out. Until then nobody's time has begun.
    if (at % 50 === 49) await askFreshly();
  }
  const ended = await Promise.all(attacks);
  const took_ms = await honest.took();
  const held_up = await machine();
  const slowest = Object.fromEntries(names.map((name) => [name, Math.round(Math.max(
    ...ended.filter(({ kind }) => kind === name).map(({ after_ms }) => after_ms)))]));
  console.log(JSON.stringify({
    peers, slowest, held_up, honest_calls: took_ms.length,
    honest_max_ms: Math.round(Math.max(...took_ms)), honest_p99_ms: Math.round(p99(took_ms)),
    before_p99_ms: Math.round(p99(quiet_ms)),
  }));
  const allowed_ms = closed_ms_max + held_up.own_ms + held_up.host_ms;
  expect(Object.entries(slowest).filter(([, after_ms]) => after_ms > allowed_ms)).toEqual([]);
  expect(took_ms.length).toBeGreaterThan(100);
  expect([host.isAlive(), host.complaints]).toEqual([true, []]);
});

test("strangers that never read their answers are bounded and closed", { timeout: 120_000 }, async () => {
  const readers = isFull ? 500 : 40;
  const before_mb = readRss();
  const large = JSON.stringify(Array.from({ length: 100 }, (_, id) =>
    ({ jsonrpc: "2.0", id, method: "rpc.discover" })));
  const sockets = Array.from({ length: readers }, (_, at) => {
    if (at % 2 === 0) {
      const socket = connect(host.port, "127.0.0.1").on("error", () => undefined);
      socket.pause();
      socket.write("GET /openrpc.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(50));
      return socket;
    }
    const socket = new WebSocket(host.url, { perMessageDeflate: false });
    socket.on("error", () => undefined).on("open", () => {
      socket.pause();
      socket.send(large);
      socket.send(large);
    });
    return socket;
  });
  let most_mb = before_mb;
  const admin = await Client.open(host.url, admin_token);
  for (const until = performance.now() + 9000; performance.now() < until; await rest(200)) {
    most_mb = Math.max(most_mb, readRss());
    await admin.call("ping");
  }
  const closed = sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
  await rest(3500);
  for (const socket of sockets) socket.resume();
  await Promise.all(closed);
  console.log(JSON.stringify({ readers, before_mb: Math.round(before_mb), most_mb: Math.round(most_mb) }));
  expect(most_mb - before_mb).toBeLessThan(growth_mb_max);
  await expect.poll(async () => {
    const text = await (await fetch(`${host.http_url}/metrics`)).text();
    return /^runhost_connections\{state="unauthenticated"\} (\d+)$/m.exec(text)?.[1];
  }, { timeout: 20_000 }).toBe("0");
  await admin.close();
  expect([host.isAlive(), host.complaints]).toEqual([true, []]);
});
