// `runhost runtimes list | get`: the processes that claim runs; the caller's own, or all for an
// administrator of runtimes.

import type { Runtime } from "../../contract/records.js";
import { runtimeStatuses } from "../../contract/scalars.js";
import { HostError } from "../../client/client.js";
import {
  describeInstant, drawFacts, printResult, UsageError, type Invocation,
} from "../output.js";
import { printList, readItems, type Listing, type PageOptions } from "../pages.js";
import { withHost } from "../reach.js";

export interface RuntimeListOptions extends PageOptions {
  status?: string;
}

const listing = (params: object): Listing<Runtime> => ({
  method: "runtime_list", params, cursor: "after_cursor", page_max: 500, noun: "runtimes",
  head: ["RUNTIME", "STATUS", "PLUGIN", "LAST HEARTBEAT", "VERSION", "NAME"],
  row: (runtime) => [
    runtime.runtime_id, statusOf(runtime), runtime.plugin_identity,
    describeInstant(runtime.last_heartbeat_at), runtime.version ?? "", runtime.display_name ?? "",
  ],
});

/** A runtime whose heartbeat is overdue is stale, also before the host has written it down. */
const statusOf = ({ status, is_stale }: Runtime): string => (is_stale ? "stale" : status);

export async function listRuntimes(
  invocation: Invocation, options: RuntimeListOptions,
): Promise<void> {
  const { status } = options;
  if (status !== undefined && !(runtimeStatuses as readonly string[]).includes(status)) {
    throw new UsageError(`--status: ${status} is none of ${runtimeStatuses.join(", ")}`);
  }
  const statuses = status === undefined ? undefined : [status];
  await withHost(invocation, (host) =>
    printList(invocation, host, listing({ statuses }), options));
}

export async function getRuntime(invocation: Invocation, runtime_id: string): Promise<void> {
  const found = await withHost(invocation, async (host) => {
    for await (const runtime of readItems(host, listing({}), Infinity)) {
      if (runtime.runtime_id === runtime_id) return runtime;
    }
    const data = { code: "NOT_FOUND", retryable: false, kind: "runtime", id: runtime_id };
    throw new HostError(`runtime ${runtime_id} is not among those that you may list`, 0, data);
  });
  printResult(invocation, found, drawFacts([
    ["runtime", found.runtime_id], ["status", `${statusOf(found)}${found.held ? " (held)" : ""}`],
    ["plugin", found.plugin_identity], ["name", found.display_name],
    ["endpoint", found.endpoint], ["version", found.version],
    ["registered", describeInstant(found.created_at)],
    ["last heartbeat", describeInstant(found.last_heartbeat_at)],
    ["next due", describeInstant(found.heartbeat_deadline_at)],
    ["labels", JSON.stringify(found.labels)], ["metadata", JSON.stringify(found.metadata)],
  ]));
}
