// Reads the prompt with which the caller's live run was created. A run without one is told so.

import { z } from "zod";
import { session } from "../../contract/access.js";
import { id, openObject } from "../../contract/scalars.js";
import { defineAction } from "../action.js";

export const promptGet = defineAction({
  name: "prompt_get",
  summary: "Read the prompt of the run.",
  params: z.strictObject({ run_id: id }),
  result: z.object({ prompt: z.array(openObject) }).meta({ id: "Prompt" }),
  access: session({ run: { capability: "prompt_get", mode: "live" }, fenced: false }),
  errors: ["NOT_FOUND"],
  async handle({ grant, ledger }) {
    return ledger.history.prompt(grant);
  },
});
