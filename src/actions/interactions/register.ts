// Interactions: what a run asks of people, and their answers.

import type { ActionHost } from "../action.js";
import { interactionCancel } from "./interaction_cancel.js";
import { interactionGet } from "./interaction_get.js";
import { interactionList } from "./interaction_list.js";
import { interactionSubmit } from "./interaction_submit.js";

export function register(h: ActionHost): void {
  h.action(interactionList);
  h.action(interactionGet);
  h.action(interactionSubmit);
  h.action(interactionCancel);
}
