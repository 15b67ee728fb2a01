// The two identities that take part: the surface, which brings messages in, and the agent, which
// answers. Their tokens are made anew for each demo. Used by demo.js and surface.js.

import { connect } from "runhost/client";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {import("../document_report/host.js").AtEnd} AtEnd
 */

export const runner_id = "plugin:demo/chat_agent/chat";

/**
 * @param {object} parts
 * @param {string} parts.url
 * @param {string} parts.admin_token
 * @param {AtEnd} parts.atEnd
 */
export async function registerCast({ url, admin_token, atEnd }) {
  /** @param {string} token */
  const open = async (token) => {
    const connection = await connect({ url, token, name: "chat_agent demo", reconnect: false });
    atEnd(() => connection.close());
    return connection;
  };
  const admin = await open(admin_token);
  const surface_token = await registerPlugin(admin, "demo/chat_surface", ["agent_run:create"]);
  const agent_token = await registerPlugin(admin, "demo/chat_agent", []);
  const agent = await open(agent_token);
  const capabilities = { steering: true, interactions: true };
  await agent.call("runner_register", {
    runners: [{ id: runner_id, label: { en: "Chat agent" }, capabilities }],
  });
  return { agent, agent_token, openSurfaceConnection: () => open(surface_token) };
}

/**
 * The token is shown once, so an identity of an earlier demo gets a new one.
 * @param {Host} admin
 * @param {string} plugin_identity
 * @param {string[]} permissions
 * @returns {Promise<string>}
 */
async function registerPlugin(admin, plugin_identity, permissions) {
  const plugin = await admin.call("plugin_register", { plugin_identity, permissions });
  if (plugin.created) return plugin.token;
  return (await admin.call("plugin_rotate_token", { plugin_identity })).token;
}
