// Events: bringing them in, reading the log of them, following those of a run.

import type { ActionHost } from "../action.js";
import { eventGet } from "./event_get.js";
import { eventPage } from "./event_page.js";
import { eventPublish } from "./event_publish.js";
import { runSubscribe } from "./run_subscribe.js";
import { runUnsubscribe } from "./run_unsubscribe.js";

export function register(h: ActionHost): void {
  h.action(eventPublish);
  h.action(runSubscribe);
  h.action(runUnsubscribe);
  h.action(eventGet);
  h.action(eventPage);
}
