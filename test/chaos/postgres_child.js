// An embedded Postgres in a process of its own, on a fixed port. Each line on stdin is an order:
// `restart` stops it at once, as a crash would, and starts it again. It ends with its stdin.

import { createInterface } from "node:readline";

const [dataDir, port, fsync] = process.argv.slice(2);
const start = new URL("../../dist/embedded/start.js", import.meta.url).href;
const { startEmbeddedPostgres } = await import(start);

const open = () => startEmbeddedPostgres({
  dataDir,
  log: () => undefined,
  // The last setting of a name wins over the port that the start has chosen.
  settings: { port, max_connections: "400", fsync },
});

/** @param {object} line */
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

let server = await open();
const own = Object.assign(new URL(server.url), { port });
tell({ url: own.href, pid: server.pid });

for await (const order of createInterface({ input: process.stdin })) {
  if (order !== "restart") continue;
  process.kill(server.pid, "SIGQUIT");
  await waitForEnd(server.pid);
  await server.stop();
  tell({ stopped: true });
  server = await open();
  tell({ restarted: true, pid: server.pid });
}
await server.stop();

/** @param {number} pid */
async function waitForEnd(pid) {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
