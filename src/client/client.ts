// The public client, `runhost/client`, on Node: connects a plugin to a host. browser.ts is the
// same door for browsers.

import { connectHost, type ConnectOptions, type Host } from "./host.js";
import { openSocket } from "./socket.js";

export type { CallOptions } from "./calls.js";
export type { ConnectOptions, Host, NotificationListener } from "./host.js";
export { HostError } from "./host_error.js";
export type { ConnectionState } from "./link.js";
export type { EventsOptions, RunEvents } from "./run_events.js";
export type { Closing } from "./socket.js";
export type * from "../../protocol/methods.js";

/**
 * Connects to a host and proves who calls.
 *
 * Rejects with HostError: UNREACHABLE where no host answers, UNAUTHENTICATED for a token that it
 * does not take; and with SyntaxError for a malformed address.
 *
 * @example
 * const host = await connect({ url: "ws://127.0.0.1:7420/rpc", token });
 * const run = await host.runCreate({ runner_id: "plugin:acme/echo/echo", text: "hello" });
 */
export const connect = (options: ConnectOptions): Promise<Host> =>
  connectHost(openSocket, options);
