// A worker process of the plugin demo/documents: one report for each run that it claims. Address
// and token come through the environment, never the arguments. It stops on the message "stop", on
// SIGTERM, and with its parent; what it holds then goes back to the queue.

import { connect } from "runhost/client";
import { createWorker } from "runhost/worker";
import { writeReport } from "./write_report.js";

/** @param {string} name */
const read = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

async function main() {
  const folder = read("DEMO_FOLDER");
  const runtime_id = read("WORKER_RUNTIME");
  const host = await connect({ url: read("WORKER_URL"), token: read("WORKER_TOKEN") });
  const worker = createWorker({
    host,
    runtime_id,
    queue_name: read("WORKER_QUEUE"),
    lease_seconds: Number(read("DEMO_LEASE_SECONDS")),
    concurrency: 2,
    runners: {
      report: {
        label: { en: "Document report" },
        run: (run, ctx) => writeReport({ run, ctx, folder }),
      },
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
  process.stderr.write(`worker: ${cause instanceof Error ? cause.message : cause}\n`);
  process.exit(1);
});
