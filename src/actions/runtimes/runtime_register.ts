// Creates a runtime or replaces its description, and counts as a heartbeat. The first registrant
// owns it for ever; nobody registers another's.

import { z } from "zod";
import { fleet } from "../../contract/access.js";
import { limitFields } from "../../contract/canonical.js";
import { limits } from "../../contract/limits.js";
import { runtime } from "../../contract/records.js";
import { optional, text, whenSound } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { requireOneDeadline, runtimeShape, sizedFields } from "./runtime_params.js";

export const runtimeRegister = defineAction({
  name: "runtime_register",
  summary: "Register a runtime, replacing its description.",
  params: z
    .strictObject({
      ...runtimeShape,
      display_name: optional(text(255)),
      endpoint: optional(text(1024)),
      version: optional(text(255)),
    })
    .superRefine(requireOneDeadline)
    .transform(whenSound((params) => limitFields(params, sizedFields))),
  result: runtime,
  access: fleet({ run: { capability: "runtime_register", mode: "live" }, admin: "runtime:admin" }),
  errors: ["FORBIDDEN", "PAYLOAD_TOO_LARGE", "CONFLICT"],
  async handle({ params, grant, ledger }) {
    const deadline = params.heartbeat_deadline_at ?? null;
    const ttl = params.heartbeat_ttl_seconds ?? null;
    const fallback = deadline === null ? limits.runtime_ttl_seconds.default : null;
    return ledger.runtimes.register(grant, {
      runtime_id: params.runtime_id,
      status: params.status ?? "online",
      display_name: params.display_name ?? null,
      endpoint: params.endpoint ?? null,
      version: params.version ?? null,
      capabilities: params.capabilities ?? {},
      labels: params.labels ?? {},
      metadata: params.metadata ?? {},
      heartbeat_ttl_seconds: ttl ?? fallback,
      heartbeat_deadline_at: deadline,
    });
  },
});
