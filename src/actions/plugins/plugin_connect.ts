// Proves the identity of a connection by its plugin token; on a connection that has proved one it
// describes it. One answer for every token that is not accepted. Open to every connection.

import { z } from "zod";
import { open } from "../../contract/access.js";
import { invalidParam } from "../../contract/errors.js";
import { id, identity, optional, text, withDefault } from "../../contract/scalars.js";
import type { CallingConnection, Principal } from "../action.js";
import { defineAction } from "../action.js";

const protocolVersion = text(20).refine((version) => version === "1", {
  message: 'must be "1"',
});

const whole = z.number().int();

export const pluginConnect = defineAction({
  name: "plugin_connect",
  summary: "Prove the identity of this connection, or describe it.",
  params: z.strictObject({
    token: optional(text(512)),
    client: optional(z.strictObject({ name: text(100), version: optional(text(100)) })),
    protocol_version: withDefault(protocolVersion, "1"),
  }),
  result: z
    .object({
      plugin_identity: identity,
      tenant_id: id,
      permissions: z.array(z.string()),
      protocol_version: z.literal("1"),
      host: z.object({ name: z.string(), version: z.string() }),
      limits: z.object({
        max_message_bytes: whole,
        max_batch: whole,
        max_in_flight: whole,
      }),
    })
    .meta({ id: "Connection" }),
  access: open({ before_login: true }),
  errors: ["UNAUTHENTICATED"],
  async handle({ params, connection, host, log }) {
    const principal = await provePrincipal(connection, params.token);
    if (params.client !== undefined) {
      const { name, version } = params.client;
      log.info({ client: { name, version: version ?? null } }, "plugin connected");
    }
    return {
      plugin_identity: principal.plugin_identity,
      tenant_id: principal.tenant_id,
      permissions: [...connection.permissions(principal)],
      protocol_version: "1" as const,
      host: { name: host.name, version: host.version },
      limits: host.limits,
    };
  },
});

async function provePrincipal(
  connection: CallingConnection,
  plugin_token: string | undefined,
): Promise<Principal> {
  if (connection.principal === null) {
    if (plugin_token === undefined) throw invalidParam("token", "is required");
    return connection.login(plugin_token);
  }
  if (plugin_token !== undefined) {
    throw invalidParam("token", "this connection has already proved its identity");
  }
  return connection.principal;
}
