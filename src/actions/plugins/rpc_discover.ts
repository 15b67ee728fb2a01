// The OpenRPC document of this host, for every connection.

import { z } from "zod";
import { open } from "../../contract/access.js";
import { openObject } from "../../contract/scalars.js";
import { defineAction } from "../action.js";

export const rpcDiscover = defineAction({
  name: "rpc.discover",
  summary: "Describe the methods of this host as an OpenRPC document.",
  params: z.strictObject({}),
  result: openObject,
  access: open({ before_login: true }),
  errors: [],
  async handle({ host }) {
    return host.openrpc() as Record<string, unknown>;
  },
});
