// Connections that prove who they are and then do nothing, until the parent has looked.

import { openLinks } from "./link.js";

/**
 * @param {object} job
 * @param {{ url: string, token: string }} job.target
 * @param {number} job.connections
 * @param {import("./main.js").Control} control
 */
export async function holdConnections({ target, connections }, control) {
  const links = await openLinks(target, connections);
  await control.pause({ connections: links.length });
  for (const link of links) link.close();
  return { connections: links.length };
}
