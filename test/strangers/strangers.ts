// JSON-RPC clients from npm that know nothing of this host, behind one door for the tests: each is
// used the way its own documentation says. What they cannot do stands beside them.

import { Client as OpenrpcClient, RequestManager, WebSocketTransport } from "@open-rpc/client-js";
import { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } from "json-rpc-2.0";
import { Client as RpcWebSocket } from "rpc-websockets";
import { WebSocket } from "ws";
import type { Json } from "./relay.js";

export interface Refused {
  code: number;
  message: string;
  data: Json;
}

export interface Door {
  call(method: string, params?: Json): Promise<Json>;
  notify(method: string, params?: Json): Promise<void>;
  onNotification(method: string, listener: (params: Json) => void): void;
  close(): Promise<void>;
}

export interface Stranger {
  name: string;
  /** How it proves who it is: what it can send with the upgrade, or nothing. */
  login: "header" | "in-band";
  open(url: string, plugin_token: string): Promise<Door>;
}

/** https://www.npmjs.com/package/rpc-websockets */
const rpcWebsockets: Stranger = {
  name: "rpc-websockets",
  login: "header",
  async open(url, plugin_token) {
    const headers = { authorization: `Bearer ${plugin_token}` };
    // The type of its options does not list what it passes on to ws.
    const options = { reconnect: false, headers } as object;
    const client = new RpcWebSocket(url, options);
    await new Promise<void>((resolve, reject) => {
      client.once("open", () => resolve());
      client.once("error", reject);
    });
    return {
      call: async (method, params) => client.call(method, params),
      notify: (method, params) => client.notify(method, params),
      onNotification: (method, listener) => void client.on(method, listener),
      close: () =>
        new Promise((resolve) => {
          client.once("close", () => resolve());
          client.close();
        }),
    };
  },
};

/** https://www.npmjs.com/package/@open-rpc/client-js; its WebSocket takes no headers. */
const openrpcClient: Stranger = {
  name: "@open-rpc/client-js",
  login: "in-band",
  async open(url, plugin_token) {
    const transport = new WebSocketTransport(url);
    const client = new OpenrpcClient(new RequestManager([transport]));
    await client.request({ method: "plugin_connect", params: { token: plugin_token } });
    return {
      call: (method, params) => client.request({ method, params }),
      notify: (method, params) => client.notify({ method, params }),
      onNotification: (method, listener) =>
        client.onNotification((note: Json) => note.method === method && listener(note.params)),
      close: () =>
        new Promise((resolve) => {
          transport.connection.addEventListener("close", () => resolve());
          client.close();
        }),
    };
  },
};

/** https://www.npmjs.com/package/json-rpc-2.0, both halves of it over a bare ws. */
const jsonRpc20: Stranger = {
  name: "json-rpc-2.0",
  login: "in-band",
  async open(url, plugin_token) {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const send = (payload: Json) => socket.send(JSON.stringify(payload));
    const peer = new JSONRPCServerAndClient(new JSONRPCServer(), new JSONRPCClient(send));
    socket.on("message", (data) => void peer.receiveAndSend(JSON.parse(String(data))));
    socket.on("close", () => peer.rejectAllPendingRequests("closed"));
    await peer.request("plugin_connect", { token: plugin_token });
    return {
      call: async (method, params) => peer.request(method, params),
      notify: async (method, params) => peer.notify(method, params),
      onNotification: (method, listener) => peer.addMethod(method, listener),
      close: () =>
        new Promise((resolve) => {
          socket.once("close", () => resolve());
          socket.close();
        }),
    };
  },
};

export const strangers: readonly Stranger[] = [rpcWebsockets, openrpcClient, jsonRpc20];

/** What the call was refused with; fails when it succeeds. */
export async function refusal(call: Promise<Json>): Promise<Refused> {
  const answer = await call.then(
    (result) => ({ result }),
    ({ code, message, data }: Refused) => ({ code, message, data }),
  );
  if ("result" in answer) throw new Error(`it succeeded: ${JSON.stringify(answer.result)}`);
  return answer;
}
