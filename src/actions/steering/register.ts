// Steering: what reaches a run while it works.

import type { ActionHost } from "../action.js";
import { steeringAck } from "./steering_ack.js";
import { steeringPull } from "./steering_pull.js";

export function register(h: ActionHost): void {
  h.action(steeringPull);
  h.action(steeringAck);
}
