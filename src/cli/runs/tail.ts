// `runhost runs tail`: every event of a run, those of the past first, until it has ended; it goes
// on by itself after a lost connection. The exit code tells how the run ended.

import type { Run, RunEvent } from "../../contract/records.js";
import { exits, printItem, toOneLine, UsageError, type Invocation } from "../output.js";
import { withHost } from "../reach.js";
import { createPaint, paintStatus, type Paint } from "../terminal/paint.js";
import { askAbout } from "./ask.js";
import { describeEvent } from "./words.js";

export interface TailOptions {
  after?: string;
}

const endings: Readonly<Record<string, number>> = {
  completed: 0, failed: exits.failed, cancelled: exits.cancelled, timeout: exits.timeout,
};

export async function tailRun(
  invocation: Invocation, run_id: string, { after }: TailOptions,
): Promise<void> {
  if (after !== undefined && !/^\d{1,16}$/.test(after)) {
    throw new UsageError("--after: must be the sequence of an event, 0 or larger");
  }
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.once("SIGINT", interrupt);
  try {
    await followRun(invocation, { run_id, after, signal: interruption.signal });
  } finally {
    process.off("SIGINT", interrupt);
  }
}

interface Following {
  run_id: string;
  after: string | undefined;
  signal: AbortSignal;
}

async function followRun(invocation: Invocation, following: Following): Promise<void> {
  const { run_id, after: afterCursor, signal } = following;
  const { json } = invocation.options;
  const paint = createPaint(invocation.environment);
  let last = afterCursor ?? "0";
  const ended = await withHost(invocation, async (host) => {
    const { naming } = await askAbout(host, "run_get", run_id);
    host.onState((state) => {
      if (state === "reconnecting") process.stderr.write("The connection is lost; trying again.\n");
    });
    const events = host.events(run_id, { afterCursor, ownRunId: naming.run_id, signal });
    try {
      for await (const event of events) {
        last = String(event.sequence);
        if (json) printItem({ event });
        else process.stdout.write(`${writeEvent(event as RunEvent, paint)}\n`);
      }
      return events.run as Run | null;
    } catch (thrown) {
      if (signal.aborted) return null;
      throw thrown;
    }
  }, { reconnect: true });
  if (ended === null) {
    process.stderr.write(`Stopped; "--after ${last}" goes on from here.\n`);
    return invocation.finish(exits.interrupted);
  }
  if (json) printItem({ run: ended });
  else process.stdout.write(`${writeEnd(ended, paint)}\n`);
  invocation.finish(endings[ended.status] ?? exits.refused);
}

function writeEvent(event: RunEvent, paint: Paint): string {
  const time = new Date(event.created_at_ms).toISOString().slice(11, 19);
  const place = paint("dim", `${time} ${String(event.sequence).padStart(4)}`);
  return `${place}  ${paint("cyan", event.type.padEnd(19))}  ${describeEvent(event)}`.trimEnd();
}

function writeEnd({ run_id, status, status_reason }: Run, paint: Paint): string {
  const why = status_reason === null ? "" : `: ${status_reason}`;
  return `${toOneLine(run_id)} ${paintStatus(paint)(status)}${toOneLine(why)}`;
}
