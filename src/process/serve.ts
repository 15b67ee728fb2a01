// The host as a process of its own: configuration, signals, exit codes. Promises that it ends with
// 0 only when it was asked to, and with one line that says why otherwise: on stderr when it could
// not start, fatal in the log when it broke down later. Called by the command line.

import { readConfig } from "../config.js";
import { startHost } from "../main.js";
import { startTracing } from "../telemetry/tracing.js";
import { createLog, type LogLine, type ProcessLog } from "./log.js";

/** What an embedded Postgres gets to stop when the process breaks down; the next start recovers. */
const breakdown_ms = 5000;

/** Runs until a signal, then drains and exits 0; a second one exits at once. */
export async function serve(environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  let askToStop = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    askToStop = resolve;
  });
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    if (signals > 1) process.exit(1);
    askToStop();
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  try {
    const config = readConfig(environment);
    const log = createLog(config);
    const breakdown = createBreakdown(log);
    process.on("uncaughtException", (cause, origin) => breakdown.end(cause, origin));
    const warn: LogLine = (fields, message) => log.warn(fields, message);
    const tracing = await startTracing({ environment, warn });
    const host = await startHost(config, {
      log,
      onEmbedded: ({ stop }) => breakdown.before(stop),
      onLost: (cause) => breakdown.end(cause, "the embedded database is lost"),
    });
    log.announce({ url: host.url }, "ready");
    await asked;
    log.info({}, "stopping");
    await host.close();
    await tracing?.stop();
    log.info({}, "stopped");
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    process.stderr.write(`runhost: ${message.split("\n", 1)[0]}\n`);
    process.exit(1);
  }
  process.exit(0);
}

/** After a defect nobody knows what still holds: nothing is drained, clients repeat elsewhere. Node
    reports rejections that nobody handles in the same way as exceptions. */
function createBreakdown(log: ProcessLog) {
  let stop = async (): Promise<void> => undefined;
  let ending = false;
  return {
    before(work: () => Promise<void>): void {
      stop = work;
    },
    end(cause: unknown, origin: string): void {
      if (ending) return;
      ending = true;
      log.fatal({ err: cause, origin }, "the host breaks down");
      setTimeout(() => process.exit(1), breakdown_ms);
      const exit = (): never => process.exit(1);
      void stop().then(exit, exit);
    },
  };
}
