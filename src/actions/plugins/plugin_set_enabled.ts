// Disables an identity, or enables it again. A disabled one cannot connect, be delegated to or have
// runs made for it; its runs stay. The caller's permissions must cover those of the identity.

import { z } from "zod";
import { permission } from "../../contract/access.js";
import { plugin } from "../../contract/records.js";
import { id, identity, optional } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { requireNameable, resolveTenant } from "../named_tenant.js";

export const pluginSetEnabled = defineAction({
  name: "plugin_set_enabled",
  summary: "Enable or disable a plugin identity.",
  params: z.strictObject({
    tenant_id: optional(id),
    plugin_identity: identity,
    enabled: z.boolean(),
  }),
  result: plugin,
  access: permission("plugin:admin"),
  errors: ["FORBIDDEN", "NOT_FOUND"],
  async handle({ params, grant, ledger }) {
    const { plugin_identity, enabled } = params;
    const tenant_id = resolveTenant(grant, params.tenant_id);
    requireNameable(plugin_identity);
    return ledger.plugins.setEnabled(grant, { tenant_id, plugin_identity, enabled });
  },
});
