// The attackers: connections that send frames in bursts, wait until each burst is answered or the
// host has closed on them, and come back. An honest one beside them asks for a sign of life.

import { once } from "node:events";
import { WebSocket } from "ws";

/** @typedef {ReturnType<typeof import("./judge.js").createJudge>} Judge */
/** @typedef {import("./mutate.js").Frame} Frame */

const answer_ms = 15_000;

/** @param {string} url @param {string | null} token */
async function open(url, token) {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const socket = new WebSocket(url, { headers, perMessageDeflate: false });
  socket.on("error", () => undefined);
  // A frame of another peer may have taken this identity's token away: that is a refusal, no fault.
  await new Promise((resolve) => socket.once("open", resolve).once("close", resolve));
  return socket;
}

/** @param {WebSocket} socket @param {string} text */
function put(socket, text) {
  if (socket.readyState === WebSocket.OPEN) socket.send(text);
}

/** Ids that have to be answered, as the protocol says: none of what is no request. @param {string} text */
function idsOf(text) {
  try {
    const message = JSON.parse(text);
    const elements = Array.isArray(message) && message.length <= 100 ? message : [message];
    return elements.flatMap((element) => {
      const { id, method } = element ?? {};
      const isRequest = typeof method === "string" && (typeof id === "string" || Number.isSafeInteger(id));
      return isRequest ? [JSON.stringify(id)] : [];
    });
  } catch {
    return [];
  }
}

/**
 * Sends frames over connections of one identity, and waits until every request among them has its
 * answer, or the host has closed on them.
 * @param {{ url: string, token: string | null, judge: Judge, frames: readonly Frame[] }} wanted
 */
export async function attack({ url, token, judge, frames }) {
  const burst = 200;
  for (let from = 0; from < frames.length; from += burst) {
    const socket = await open(url, token);
    let sent = "";
    const waiting = new Set(['"the last ping"']);
    const answered = new Promise((resolve) => {
      socket.on("message", (data) => {
        const text = String(data);
        judge.judge(text, sent);
        const answer = JSON.parse(text);
        for (const one of Array.isArray(answer) ? answer : [answer]) waiting.delete(JSON.stringify(one.id));
        if (waiting.size === 0) resolve("answered");
      });
      socket.once("close", () => resolve("closed"));
    });
    for (const { text, kind } of frames.slice(from, from + burst)) {
      judge.count(`sent: ${kind}`);
      sent = `${sent.slice(-20_000)}\n${text}`;
      if (socket.readyState === WebSocket.OPEN) for (const id of idsOf(String(text))) waiting.add(id);
      put(socket, String(text));
    }
    put(socket, '{"jsonrpc":"2.0","id":"the last ping","method":"ping"}');
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, answer_ms, "late");
    });
    const outcome = socket.readyState === WebSocket.CLOSED ? "refused" : await Promise.race([answered, late]);
    judge.count(`connections ${outcome}`);
    if (outcome === "late") judge.offend("neither answered nor closed in time", [...waiting].join(), sent);
    clearTimeout(timer);
    socket.terminate();
  }
}

/**
 * One hostile frame on a connection of its own.
 * @param {{ url: string, token: string, judge: Judge, name: string,
 *   frame: string | Buffer | (string | Buffer)[] }} wanted
 */
export async function attackOnce({ url, token, judge, name, frame }) {
  const socket = await open(url, token);
  /** @type {string[]} */
  const answers = [];
  socket.on("message", (data) => answers.push(String(data)));
  const closed = once(socket, "close");
  judge.count(`sent: ${name}`);
  if (Array.isArray(frame)) {
    frame.forEach((part, at) => socket.send(part, { fin: at === frame.length - 1, binary: false }));
  } else socket.send(frame);
  const probe = '{"jsonrpc":"2.0","id":"probe","method":"ping"}';
  put(socket, probe);
  const heard = new Promise((resolve) => socket.on("message", (data) => {
    if (String(data).includes('"id":"probe"')) resolve("alive");
  }));
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, answer_ms, "late");
  });
  const outcome = await Promise.race([closed.then(([code]) => `closed ${code}`), heard, late]);
  clearTimeout(timer);
  if (outcome === "late") judge.offend("neither answered nor closed in time", name, "");
  for (const answer of answers) if (!answer.includes('"id":"probe"')) judge.judge(answer, name);
  socket.terminate();
  return String(outcome);
}

/** Seconds that a ping takes on a fresh connection; rejects when the host does not answer. @param {string} url @param {string} token */
export async function ask(url, token) {
  const began_ms = performance.now();
  const socket = await open(url, token);
  if (socket.readyState !== WebSocket.OPEN) throw new Error("the host takes no connection any more");
  put(socket, '{"jsonrpc":"2.0","id":1,"method":"ping"}');
  const signal = AbortSignal.timeout(answer_ms);
  await once(socket, "message", { signal });
  socket.terminate();
  return (performance.now() - began_ms) / 1000;
}
