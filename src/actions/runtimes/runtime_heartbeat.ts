// Keeps a runtime alive and changes what its owner sends. An administrator sends another's runtime
// a status only, which holds it there until an administrator sends online.

import { z } from "zod";
import { fleet } from "../../contract/access.js";
import { limitFields } from "../../contract/canonical.js";
import { runtime } from "../../contract/records.js";
import { whenSound } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { requireOneDeadline, runtimeShape, sizedFields } from "./runtime_params.js";

export const runtimeHeartbeat = defineAction({
  name: "runtime_heartbeat",
  summary: "Report that a runtime is alive, or hold another's status as an administrator.",
  params: z
    .strictObject(runtimeShape)
    .superRefine(requireOneDeadline)
    .transform(whenSound((params) => limitFields(params, sizedFields))),
  result: runtime,
  access: fleet({
    run: { capability: "runtime_heartbeat", mode: "live" },
    admin: "runtime:admin",
  }),
  errors: ["FORBIDDEN", "NOT_FOUND", "PAYLOAD_TOO_LARGE"],
  async handle({ params, grant, ledger }) {
    return ledger.runtimes.heartbeat(grant, {
      runtime_id: params.runtime_id,
      status: params.status ?? null,
      capabilities: params.capabilities ?? null,
      labels: params.labels ?? null,
      metadata: params.metadata ?? null,
      heartbeat_ttl_seconds: params.heartbeat_ttl_seconds ?? null,
      heartbeat_deadline_at: params.heartbeat_deadline_at ?? null,
    });
  },
});
