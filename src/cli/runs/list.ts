// `runhost runs list`: runs, newest first, those that the caller reaches.

import { runStatuses } from "../../contract/scalars.js";
import type { Run } from "../../contract/records.js";
import { UsageError, type Invocation } from "../output.js";
import { printList, type PageOptions } from "../pages.js";
import { withHost } from "../reach.js";
import { runHead, runRow } from "./words.js";

export interface RunListOptions extends PageOptions {
  status?: string[];
  runner?: string;
  conversation?: string;
  workspace?: string;
}

export async function listRuns(invocation: Invocation, options: RunListOptions): Promise<void> {
  const { runner } = options;
  const params = {
    statuses: readStatuses(options.status ?? []),
    // A run of acme/bot's runner main is typed acme/bot/main as well.
    runner_id: runner === undefined || runner.startsWith("plugin:") ? runner : `plugin:${runner}`,
    conversation_id: options.conversation,
    workspace_id: options.workspace,
  };
  await withHost(invocation, (host) => printList<Run>(invocation, host, {
    method: "run_list", params, cursor: "before_cursor", page_max: 100, noun: "runs",
    head: runHead, row: runRow,
  }, options));
}

/** Given one by one, or separated by commas. */
function readStatuses(given: string[]): string[] | undefined {
  const statuses = given.flatMap((text) => text.split(","));
  const unknown = statuses.find((status) => !(runStatuses as readonly string[]).includes(status));
  if (unknown !== undefined) {
    throw new UsageError(`--status: ${unknown} is none of ${runStatuses.join(", ")}`);
  }
  return statuses.length === 0 ? undefined : statuses;
}
