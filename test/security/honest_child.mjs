// Honest clients in a process of their own, so that what they wait for is the host. Each calls one call
// after another until a line comes in, which is answered with how long each took since the line before.
// Arguments: url, token, how many.

import { createInterface } from "node:readline";
import { WebSocket } from "ws";

const [url = "", token = "", count = ""] = process.argv.slice(2);
const pause_ms = 20;
/** Well above every deadline of the host: a call that takes longer is one that nobody answers. */
const answer_ms = 15_000;
/** @type {number[]} */
let took_ms = [];
/** The last call of each client. @type {Map<WebSocket, Promise<unknown>>} */
const asked = new Map();

/** @returns {Promise<WebSocket>} */
const open = () => new Promise((resolve, reject) => {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  socket.once("open", () => resolve(socket)).once("error", reject);
});

/** @param {WebSocket} socket @param {number} id */
function call(socket, id) {
  const params = { runner_id: "plugin:acme/honest/main", allow_unregistered_runner: true };
  socket.send(JSON.stringify({ jsonrpc: "2.0", id, method: "run_create", params }));
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("a call was not answered")), answer_ms);
    socket.once("message", (text) => {
      clearTimeout(late);
      const { result, error } = JSON.parse(String(text));
      if (result?.run_id) resolve(result);
      else reject(new Error(JSON.stringify(error)));
    });
  });
}

/** @param {WebSocket} socket */
async function callOn(socket) {
  for (let id = 1; ; id += 1) {
    const began_ms = performance.now();
    const answered = call(socket, id);
    asked.set(socket, answered);
    await answered;
    took_ms.push(performance.now() - began_ms);
    await new Promise((resolve) => setTimeout(resolve, pause_ms));
  }
}

/** @param {unknown} cause */
function fail(cause) {
  console.error("an honest client was stopped:", cause);
  process.exit(1);
}

const sockets = await Promise.all(Array.from({ length: Number(count) }, open));
for (const socket of sockets) {
  socket.once("close", (code) => fail(`closed with ${code}`));
  callOn(socket).catch(fail);
}
createInterface({ input: process.stdin }).on("line", async () => {
  // Whoever still waits for an answer has to get it.
  await Promise.all(asked.values()).catch(fail);
  console.log(JSON.stringify(took_ms));
  took_ms = [];
}).on("close", () => process.exit(0));
