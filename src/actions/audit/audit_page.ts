// Reads who changed what, newest first. Each administrator permission shows its own domain; a
// limited one shows rows of its workspaces. Another tenant's plugin rows are for the built-in
// identity alone.

import { z } from "zod";
import { permission } from "../../contract/access.js";
import { invalidParam, Refusal } from "../../contract/errors.js";
import type { GrantFacts } from "../../contract/grants.js";
import { auditPage as result } from "../../contract/records.js";
import { cursor, id, identity, optional, pageLimit, text } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { resolveTenant } from "../named_tenant.js";

const domains = ["agent_run", "runtime", "plugin"] as const;
type Domain = (typeof domains)[number];

export const auditPage = defineAction({
  name: "audit_page",
  summary: "Read the audit of administrator calls and of the host's own transitions.",
  params: z.strictObject({
    tenant_id: optional(id),
    domain: optional(z.enum(domains)),
    actor: optional(z.union([z.literal("host"), identity])),
    action: optional(text(100)),
    target_run_id: optional(id),
    target_runtime_id: optional(id),
    before_cursor: optional(cursor),
    limit: pageLimit(50, 100),
  }),
  result,
  access: permission("agent_run:admin", "runtime:admin", "plugin:admin"),
  errors: [],
  async handle({ params, grant, ledger }) {
    const tenant_id = resolveTenant(grant, params.tenant_id);
    return ledger.audit.page(grant, {
      tenant_id,
      domain: chooseDomain({ grant, tenant_id, domain: params.domain ?? null }),
      actor: params.actor ?? null,
      action: params.action ?? null,
      target_run_id: params.target_run_id ?? null,
      target_runtime_id: params.target_runtime_id ?? null,
      before_cursor: params.before_cursor ?? null,
      limit: params.limit,
    });
  },
});

interface Wanted {
  grant: GrantFacts;
  tenant_id: string;
  domain: Domain | null;
}

/** Of another tenant only the domain plugin is shown. */
function chooseDomain({ grant, tenant_id, domain }: Wanted): Domain | null {
  const foreign = tenant_id !== grant.tenant_id;
  if (foreign && domain !== null && domain !== "plugin") {
    throw invalidParam("domain", "must be plugin with the tenant_id of another tenant");
  }
  const chosen = foreign ? "plugin" : domain;
  const needed = `${chosen}:admin`;
  if (chosen !== null && !grant.held.some((held) => held.permission === needed)) {
    throw new Refusal("FORBIDDEN", { reason: "permission_missing", permission: needed });
  }
  return chosen;
}
