// Revokes the plugin token of an identity and shows its successor this once. A repeat rotates
// again. The caller's permissions must cover those of the identity.

import { z } from "zod";
import { permission } from "../../contract/access.js";
import { id, identity, optional } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { requireNameable, resolveTenant } from "../named_tenant.js";

export const pluginRotateToken = defineAction({
  name: "plugin_rotate_token",
  summary: "Revoke the token of a plugin identity and issue a new one.",
  params: z.strictObject({ tenant_id: optional(id), plugin_identity: identity }),
  result: z
    .object({ plugin_identity: identity, key_id: z.string(), token: z.string() })
    .meta({ id: "IssuedToken" }),
  access: permission("plugin:admin"),
  errors: ["FORBIDDEN", "NOT_FOUND"],
  async handle({ params, grant, ledger }) {
    const { plugin_identity } = params;
    const tenant_id = resolveTenant(grant, params.tenant_id);
    requireNameable(plugin_identity);
    return ledger.plugins.rotateToken(grant, { tenant_id, plugin_identity });
  },
});
