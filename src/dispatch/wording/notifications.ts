// The notifications that a host sends: name, params, receivers, for people and makers of clients.
// wire.md has the list; whoever sends one more adds it here.

import { z } from "zod";
import { interaction } from "../../contract/context_records.js";
import { run, runEvent } from "../../contract/records.js";
import { cursor, id } from "../../contract/scalars.js";

export interface NotificationWords {
  name: string;
  summary: string;
  sent_to: string;
  params: z.ZodObject;
  /** By parameter. */
  words: Readonly<Record<string, string>>;
}

const subscriber = "the connection that holds the subscription";
const executor = "the connections of the run's plugin, and the connection that claimed the run";
const subscription_id = "The subscription that run_subscribe answered.";
const run_id = "The run.";

export const notifications: readonly NotificationWords[] = [
  {
    name: "run_event",
    summary: "An event of a followed run, in sequence order, at least once.",
    sent_to: subscriber,
    params: z.object({ subscription_id: id, run_id: id, event: runEvent }),
    words: { subscription_id, run_id, event: "The stored event." },
  },
  {
    name: "interaction_requested",
    summary: "A followed run asks a person; comes after the run_event that asked.",
    sent_to: subscriber,
    params: z.object({ subscription_id: id, run_id: id, interaction }),
    words: { subscription_id, run_id, interaction: "What it asks, and until when." },
  },
  {
    name: "run_ended",
    summary: "A followed run has ended; comes after its last event and ends the subscription.",
    sent_to: subscriber,
    params: z.object({ subscription_id: id, run }),
    words: { subscription_id, run: "The ended run." },
  },
  {
    name: "subscription_dropped",
    summary: "The host gave a subscription up; nothing is lost by subscribing again.",
    sent_to: subscriber,
    params: z.object({
      subscription_id: id,
      reason: z.enum(["slow", "not_authorized"]),
      resume_after: cursor,
    }),
    words: {
      subscription_id,
      reason: "slow: the connection did not keep up. not_authorized: it is no longer admitted.",
      resume_after: "What to pass as after_cursor to the next run_subscribe.",
    },
  },
  {
    name: "run_cancel_requested",
    summary: "Somebody asked that a live run be cancelled; its executor has to end it.",
    sent_to: executor,
    params: z.object({ run_id: id, status_reason: z.string().nullable() }),
    words: { run_id, status_reason: "Why, for people." },
  },
  {
    name: "steering_available",
    summary: "Something came in for a run that is being worked on; steering_pull hands it out.",
    sent_to: executor,
    params: z.object({ run_id: id, pending: z.number().int().min(0) }),
    words: { run_id, pending: "How many items are waiting." },
  },
];
