// Creates an identity, whose plugin token the answer shows this once, or changes one. A caller
// gives no permission, and touches no identity with one, that its own do not cover.

import { z } from "zod";
import { grantablePermissions, permission } from "../../contract/access.js";
import { limitFields } from "../../contract/canonical.js";
import { registeredPlugin } from "../../contract/records.js";
import { id, identity, openObject, optional, text, whenSound } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { hasReservedAuthor, resolveTenant } from "../named_tenant.js";

const permissionList = z
  .array(z.enum(grantablePermissions))
  .max(20)
  .overwrite((names) => [...new Set(names)]);

export const pluginRegister = defineAction({
  name: "plugin_register",
  summary: "Create a plugin identity and its token, or change an identity.",
  params: z
    .strictObject({
      tenant_id: optional(id),
      plugin_identity: identity.refine((named) => !hasReservedAuthor(named), {
        message: "the author runhost is reserved",
      }),
      permissions: optional(permissionList),
      display_name: optional(text(255)),
      metadata: optional(openObject),
    })
    .transform(whenSound((params) => limitFields(params, ["metadata"]))),
  result: registeredPlugin,
  access: permission("plugin:admin"),
  errors: ["FORBIDDEN", "PAYLOAD_TOO_LARGE"],
  async handle({ params, grant, ledger }) {
    const tenant_id = resolveTenant(grant, params.tenant_id);
    return ledger.plugins.register(grant, {
      tenant_id,
      plugin_identity: params.plugin_identity,
      permissions: params.permissions ?? null,
      display_name: params.display_name ?? null,
      metadata: params.metadata ?? null,
    });
  },
});
