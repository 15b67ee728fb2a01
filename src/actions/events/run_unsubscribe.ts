// Ends a subscription of this connection; nothing is sent for it after the answer. One that is
// unknown here, ended, or another connection's is answered alike.

import { z } from "zod";
import { ofConnection } from "../../contract/access.js";
import { id } from "../../contract/scalars.js";
import { defineAction } from "../action.js";

export const runUnsubscribe = defineAction({
  name: "run_unsubscribe",
  summary: "Stop following a run.",
  params: z.strictObject({ subscription_id: id }),
  result: z.object({ removed: z.boolean() }).meta({ id: "Unsubscribed" }),
  access: ofConnection(),
  errors: [],
  async handle({ params, connection }) {
    return { removed: connection.unsubscribe(params.subscription_id) };
  },
});
