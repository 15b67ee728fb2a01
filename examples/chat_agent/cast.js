// The two identities that take part: the surface, which brings messages in, and the agent, which
// answers. Their tokens are made anew for each demo. Used by demo.js and surface.js.

import { open, registerPlugin } from "../document_report/host.js";

export const runner_id = "plugin:demo/chat_agent/chat";

/**
 * @param {object} parts
 * @param {string} parts.url
 * @param {string} parts.admin_token
 * @param {import("../document_report/host.js").AtEnd} parts.atEnd
 */
export async function registerCast({ url, admin_token, atEnd }) {
  const admin = await open({ url, token: admin_token, atEnd });
  const surface_token = await registerPlugin(admin, "demo/chat_surface", ["agent_run:create"]);
  const agent_token = await registerPlugin(admin, "demo/chat_agent", []);
  return {
    agent: await open({ url, token: agent_token, atEnd }),
    agent_token,
    openSurfaceHost: () => open({ url, token: surface_token, atEnd }),
  };
}
