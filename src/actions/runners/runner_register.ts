// Declares the runners of the calling plugin, each replaced whole; with replace its other runners
// are withdrawn. Refuses ids of another plugin.

import { z } from "zod";
import { own } from "../../contract/access.js";
import { Refusal } from "../../contract/errors.js";
import { limitField } from "../../contract/canonical.js";
import { limits } from "../../contract/limits.js";
import { runnerDescriptor } from "../../contract/records.js";
import {
  openObject, optional, ownerOfRunner, runnerId, text, withDefault,
} from "../../contract/scalars.js";
import type { RunnerDeclaration } from "../../ledger/requests.js";
import { defineAction } from "../action.js";

const capabilityName = z.string().regex(/^[a-z_]{1,64}$/, "must be 1 to 64 of a-z and _");

const declaration = z.strictObject({
  id: runnerId,
  label: optional(z.record(z.string(), text(255))),
  description: optional(z.record(z.string(), text(2000))),
  plugin_version: optional(text(100)),
  config_schema: optional(z.array(openObject)),
  capabilities: optional(z.record(capabilityName, z.boolean())),
  permissions: optional(z.record(z.string(), z.array(text(100)))),
  raw_manifest: optional(openObject),
});

const plain = z.strictObject({
  runners: z.array(declaration).max(limits.runners_per_call),
  replace: withDefault(z.boolean(), false),
});

type Params = z.output<typeof plain>;

export const runnerRegister = defineAction({
  name: "runner_register",
  summary: "Declare the runners of the calling plugin.",
  params: plain.superRefine(checkRunners).transform(limitRunners),
  result: z
    .object({ items: z.array(runnerDescriptor), withdrawn_count: z.number().int() })
    .meta({ id: "RegisteredRunners" }),
  access: own(),
  errors: ["PAYLOAD_TOO_LARGE", "CONFLICT"],
  async handle({ params, grant, ledger }) {
    const isOwn = ({ id }: { id: string }) => ownerOfRunner(id) === grant.caller;
    if (!params.runners.every(isOwn)) throw new Refusal("FORBIDDEN", { reason: "out_of_scope" });
    const runners = params.runners.map(fillDeclaration);
    return ledger.runners.register(grant, { runners, replace: params.replace });
  },
});

function checkRunners({ runners, replace }: Params, context: z.core.$RefinementCtx): void {
  if (runners.length === 0 && !replace) {
    const message = "an empty list needs replace: true";
    context.addIssue({ code: "custom", path: ["runners"], message });
  }
  const seen = new Set<string>();
  for (const [at, { id }] of runners.entries()) {
    if (seen.has(id)) {
      context.addIssue({ code: "custom", path: ["runners", at, "id"], message: "is repeated" });
    }
    seen.add(id);
  }
}

function limitRunners(params: Params): Params {
  for (const [at, runner] of params.runners.entries()) {
    limitField(`runners.${at}`, runner, limits.runner_descriptor_bytes);
  }
  return params;
}

function fillDeclaration(sent: z.output<typeof declaration>): RunnerDeclaration {
  return {
    id: sent.id,
    label: sent.label ?? {},
    description: sent.description ?? null,
    plugin_version: sent.plugin_version ?? null,
    config_schema: sent.config_schema ?? [],
    capabilities: sent.capabilities ?? {},
    permissions: sent.permissions ?? {},
    raw_manifest: sent.raw_manifest ?? {},
  };
}
