// Connections and plugin identities.

import type { ActionHost } from "../action.js";
import { ping } from "./ping.js";
import { pluginConnect } from "./plugin_connect.js";
import { pluginList } from "./plugin_list.js";
import { pluginRegister } from "./plugin_register.js";
import { pluginRotateToken } from "./plugin_rotate_token.js";
import { pluginSetEnabled } from "./plugin_set_enabled.js";
import { rpcDiscover } from "./rpc_discover.js";

export function register(h: ActionHost): void {
  h.action(pluginConnect);
  h.action(ping);
  h.action(rpcDiscover);
  h.action(pluginRegister);
  h.action(pluginList);
  h.action(pluginRotateToken);
  h.action(pluginSetEnabled);
}
