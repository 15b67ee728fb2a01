// Lists the identities of a tenant, oldest first, for administrators of plugins.

import { z } from "zod";
import { permission } from "../../contract/access.js";
import { pluginPage } from "../../contract/records.js";
import { cursor, id, optional, pageLimit } from "../../contract/scalars.js";
import { defineAction } from "../action.js";
import { resolveTenant } from "../named_tenant.js";

export const pluginList = defineAction({
  name: "plugin_list",
  summary: "List plugin identities, oldest first.",
  params: z.strictObject({
    tenant_id: optional(id),
    enabled: optional(z.boolean()),
    after_cursor: optional(cursor),
    limit: pageLimit(50, 100),
  }),
  result: pluginPage,
  access: permission("plugin:admin"),
  errors: ["FORBIDDEN"],
  async handle({ params, grant, ledger }) {
    const tenant_id = resolveTenant(grant, params.tenant_id);
    return ledger.plugins.list(grant, {
      tenant_id,
      enabled: params.enabled ?? null,
      after_cursor: params.after_cursor ?? null,
      limit: params.limit,
    });
  },
});
