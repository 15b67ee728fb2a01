// `runhost audit`: who changed what, newest first, in the domains of the caller's permissions.

import type { AuditRecord } from "../../contract/records.js";
import type { Invocation } from "../output.js";
import { printList, type PageOptions } from "../pages.js";
import { withHost } from "../reach.js";

export interface AuditOptions extends PageOptions {
  tenant?: string;
  domain?: string;
  actor?: string;
  action?: string;
  run?: string;
  runtime?: string;
}

export async function listAudit(invocation: Invocation, options: AuditOptions): Promise<void> {
  const params = {
    tenant_id: options.tenant, domain: options.domain, actor: options.actor,
    action: options.action, target_run_id: options.run, target_runtime_id: options.runtime,
  };
  await withHost(invocation, (host) => printList<AuditRecord>(invocation, host, {
    method: "audit_page", params, cursor: "before_cursor", page_max: 100, noun: "audit rows",
    head: ["WHEN", "ACTOR", "ACTION", "TARGET", "CHANGE"],
    row: (record) => [
      new Date(record.created_at * 1000).toISOString().slice(0, 19).replace("T", " "),
      record.via === null ? record.actor : `${record.actor} via ${record.via}`, record.action,
      record.target_run_id ?? record.target_runtime_id ?? record.target_identity ?? "",
      describeChange(record.detail),
    ],
  }, options));
}

function describeChange(detail: Record<string, unknown>): string {
  const { from_status, to_status } = detail;
  if (typeof from_status === "string" && typeof to_status === "string") {
    return `${from_status} → ${to_status}`;
  }
  const told = Object.entries(detail).filter(([, value]) =>
    value !== null && typeof value !== "object");
  return told.slice(0, 3).map(([name, value]) => `${name} ${value}`).join(", ");
}
