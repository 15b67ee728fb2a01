// `runhost plugin`: identities and their tokens, through the methods of the host. A token is
// printed in the answer that issues it and nowhere else.

import type { Plugin, PluginPage, RegisteredPlugin } from "../contract/records.js";
import { describeInstant, drawTable, printResult, type Invocation } from "./output.js";
import { withHost } from "./reach.js";

interface Named {
  plugin_identity: string;
  tenant_id?: string;
}

const tokenNote = "The token is shown this once: keep it now, the host stores only its hash.";

/** What is not given stays as it is when the identity exists. */
export async function addPlugin(
  invocation: Invocation,
  wanted: Named & { permissions?: string[]; display_name?: string },
): Promise<void> {
  const plugin: RegisteredPlugin = await withHost(invocation, (host) =>
    host.call("plugin_register", wanted),
  );
  const { plugin_identity, tenant_id, created, token } = plugin;
  const held = describePermissions(plugin);
  const who = `${plugin_identity} (tenant ${tenant_id}, permissions: ${held})`;
  const rotate = `"runhost plugin rotate ${plugin_identity}" issues a new one.`;
  const added = [`Added ${who}`, `Token: ${token}`, tokenNote];
  const changed = [`Changed ${who}`, `It exists already and keeps its token; ${rotate}`];
  printResult(invocation, plugin, created ? added : changed);
}

export async function listPlugins(
  invocation: Invocation,
  filter: { tenant_id?: string },
): Promise<void> {
  const items = await withHost(invocation, async (host) => {
    const found: Plugin[] = [];
    let after_cursor: string | null = null;
    do {
      const page: PluginPage = await host.call("plugin_list", {
        ...filter, after_cursor, limit: 100,
      });
      found.push(...page.items);
      after_cursor = page.next_cursor;
    } while (after_cursor !== null);
    return found;
  });
  const rows = items.map((plugin) => [
    plugin.plugin_identity,
    plugin.enabled ? "yes" : "no",
    describePermissions(plugin),
    plugin.last_seen_at === null ? "never" : describeInstant(plugin.last_seen_at),
    plugin.display_name ?? "",
  ]);
  const head = ["IDENTITY", "ENABLED", "PERMISSIONS", "LAST SEEN", "NAME"];
  const words = rows.length === 0 ? "No plugins." : drawTable([head, ...rows]);
  printResult(invocation, { items }, words);
}

export async function rotateToken(invocation: Invocation, named: Named): Promise<void> {
  const issued = await withHost(invocation, (host) => host.call("plugin_rotate_token", named));
  printResult(invocation, issued, [
    `The old token of ${issued.plugin_identity} is revoked; its connections are closed.`,
    `Token: ${issued.token}`,
    tokenNote,
  ]);
}

export async function setEnabled(
  invocation: Invocation,
  wanted: Named & { enabled: boolean },
): Promise<void> {
  const plugin: Plugin = await withHost(invocation, (host) =>
    host.call("plugin_set_enabled", wanted),
  );
  const words = plugin.enabled
    ? `${plugin.plugin_identity} is enabled.`
    : `${plugin.plugin_identity} is disabled: its connections are closed, its token is refused.`;
  printResult(invocation, plugin, words);
}

/** Those of the host's configuration file are marked. */
function describePermissions({ permissions, config_permissions }: Plugin): string {
  const configured = config_permissions.map((permission) => `${permission} (config)`);
  return [...permissions, ...configured].join(", ") || "none";
}
