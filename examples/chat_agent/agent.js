// A worker process of the plugin demo/chat_agent: holds one run at a time and answers its person.
// Address and token come through the environment, never the arguments. It stops on the message
// "stop", on SIGTERM, and with its parent.

import { readFile } from "node:fs/promises";
import { connect } from "runhost/client";
import { createWorker } from "runhost/worker";
import { parseKnowledge } from "./rules/knowledge.js";
import { converse } from "./work/converse.js";

/** @param {string} name */
const read = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

async function main() {
  const topics = parseKnowledge(await readFile(new URL("knowledge.md", import.meta.url), "utf8"));
  const host = await connect({ url: read("WORKER_URL"), token: read("WORKER_TOKEN") });
  const worker = createWorker({
    host,
    runtime_id: read("WORKER_RUNTIME"),
    queue_name: read("WORKER_QUEUE"),
    concurrency: 1,
    lease_seconds: 10,
    poll_seconds: 1,
    runners: {
      chat: {
        label: { en: "Chat agent" },
        capabilities: { steering: true, interactions: true },
        resumable: true,
        run: (run, ctx) => converse({ run, ctx, topics }),
      },
    },
    onProblem({ what, error, run_id }) {
      if (what === "handler") process.stderr.write(`agent: ${run_id}: ${error}\n`);
    },
  });
  const stop = () => worker.stop({ grace_seconds: 0 });
  process.on("message", (message) => message === "stop" && stop());
  process.on("SIGTERM", stop);
  // Ctrl-C reaches the whole group of processes; the parent decides what it means.
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => process.exit(1));
  await worker.ready;
  process.send?.("ready");
  const { reason } = await worker.done;
  await host.close();
  process.exit(reason === "stopped" ? 0 : 1);
}

main().catch((cause) => {
  process.stderr.write(`agent: ${cause instanceof Error ? cause.message : cause}\n`);
  process.exit(1);
});
