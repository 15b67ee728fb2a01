// What was said before: the transcript of a conversation, and the prompt of a run.

import type { ActionHost } from "../action.js";
import { historyPage } from "./history_page.js";
import { historySearch } from "./history_search.js";
import { promptGet } from "./prompt_get.js";

export function register(h: ActionHost): void {
  h.action(historyPage);
  h.action(historySearch);
  h.action(promptGet);
}
