// What a runtime says about itself, when it registers and with each heartbeat.

import { z } from "zod";
import { limits } from "../../contract/limits.js";
import { clamped, id, openObject, optional, text, time } from "../../contract/scalars.js";

const { min, max } = limits.runtime_ttl_seconds;

export const labels = z.record(z.string(), text(255));

export const runtimeShape = {
  run_id: optional(id),
  runtime_id: id,
  status: optional(z.enum(["online", "draining", "offline"])),
  capabilities: optional(openObject),
  labels: optional(labels),
  metadata: optional(openObject),
  heartbeat_ttl_seconds: optional(clamped(min, max)),
  heartbeat_deadline_at: optional(time),
};

export const sizedFields = ["capabilities", "labels", "metadata"] as const;

/** A time to live and a deadline say the same; one call gives one of them. */
export function requireOneDeadline(
  params: {
    heartbeat_ttl_seconds?: number | undefined;
    heartbeat_deadline_at?: number | undefined;
  },
  context: z.core.$RefinementCtx,
): void {
  const { heartbeat_ttl_seconds, heartbeat_deadline_at } = params;
  if (heartbeat_ttl_seconds === undefined || heartbeat_deadline_at === undefined) return;
  const message = "excludes heartbeat_ttl_seconds";
  context.addIssue({ code: "custom", path: ["heartbeat_deadline_at"], message });
}
