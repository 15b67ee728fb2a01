// State: what runs of one runner keep for each other.

import type { ActionHost } from "../action.js";
import { stateDelete } from "./state_delete.js";
import { stateGet } from "./state_get.js";
import { stateList } from "./state_list.js";
import { stateSet } from "./state_set.js";

export function register(h: ActionHost): void {
  h.action(stateGet);
  h.action(stateSet);
  h.action(stateDelete);
  h.action(stateList);
}
