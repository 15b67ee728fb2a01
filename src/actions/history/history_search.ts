// Searches the whole text of the transcript of the run's conversation, newest first: by words, and
// short queries also as a literal part of the text. For the caller's live run, in its own
// conversation.

import { z } from "zod";
import { session } from "../../contract/access.js";
import { searchResult } from "../../contract/context_records.js";
import { limits } from "../../contract/limits.js";
import { filterList, id, optional, pageLimit, text } from "../../contract/scalars.js";
import { defineAction } from "../action.js";

const max = limits.search_characters;

const query = z
  .string()
  .meta({ description: `1 to ${max} characters, without the spaces around them` })
  .transform((sent) => sent.trim())
  .pipe(text(max, 1));

const filters = z.strictObject({
  conversation_id: optional(id),
  roles: optional(filterList(text(50))),
  item_types: optional(filterList(text(50))),
});

export const historySearch = defineAction({
  name: "history_search",
  summary: "Search the transcript of the run's conversation.",
  params: z.strictObject({
    run_id: id,
    query,
    filters: optional(filters),
    top_k: pageLimit(10, 100),
  }),
  result: searchResult,
  access: session({ run: { capability: "history_search", mode: "live" }, fenced: false }),
  errors: [],
  async handle({ params, grant, ledger }) {
    const { filters: wanted } = params;
    return ledger.history.search(grant, {
      query: params.query,
      conversation_id: wanted?.conversation_id ?? null,
      roles: wanted?.roles ?? null,
      item_types: wanted?.item_types ?? null,
      top_k: params.top_k,
    });
  },
});
