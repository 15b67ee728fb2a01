// Answers every connection with the time: the database's, or this process's when the database does
// not answer.

import { z } from "zod";
import { open } from "../../contract/access.js";
import { defineAction } from "../action.js";

export const ping = defineAction({
  name: "ping",
  summary: "Answer with the present time.",
  params: z.strictObject({}),
  result: z
    .object({ ok: z.literal(true), time: z.number().int(), time_ms: z.number().int() })
    .meta({ id: "Pong" }),
  access: open({ before_login: true }),
  errors: [],
  async handle({ grant, ledger }) {
    const time_ms = Math.floor((await ledger.clock.now(grant)) ?? Date.now());
    return { ok: true as const, time: Math.floor(time_ms / 1000), time_ms };
  },
});
