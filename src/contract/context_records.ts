// Records of what surrounds a running agent: what came in, what was said, steering, interactions,
// and the answers of the methods that read and change them.

import { z } from "zod";
import { pageShape } from "./records.js";
import {
  cursor, id, identity, interactionStatuses, json, openObject, runnerId, stateScopes, text,
} from "./scalars.js";

const seconds = z.number().int();
const count = z.number().int();
const nullable = <T extends z.ZodType>(schema: T) => schema.nullable();

export const eventRecord = z
  .object({
    event_id: id,
    event_type: text(100),
    event_time: nullable(seconds),
    source: text(50),
    bot_id: nullable(id),
    workspace_id: nullable(id),
    conversation_id: nullable(id),
    thread_id: nullable(id),
    actor_type: nullable(id),
    actor_id: nullable(id),
    actor_name: nullable(id),
    subject_type: nullable(id),
    subject_id: nullable(id),
    raw_ref: nullable(id),
    input_summary: nullable(z.string()),
    seq: count,
    cursor,
    created_at: seconds,
    metadata: openObject,
  })
  .meta({ id: "EventRecord" });
export type EventRecord = z.output<typeof eventRecord>;

export const transcriptItem = z
  .object({
    transcript_id: id,
    conversation_id: id,
    event_id: nullable(id),
    bot_id: nullable(id),
    workspace_id: nullable(id),
    thread_id: nullable(id),
    role: text(50),
    item_type: text(50),
    content: nullable(z.string()),
    content_json: json,
    content_truncated: z.boolean(),
    seq: count,
    cursor,
    created_at: seconds,
    metadata: openObject,
    attachment_refs: z.array(openObject),
  })
  .meta({ id: "TranscriptItem" });
export type TranscriptItem = z.output<typeof transcriptItem>;

export const interaction = z
  .object({
    id: count,
    interaction_id: id,
    run_id: id,
    runner_id: runnerId,
    binding_id: nullable(id),
    bot_id: nullable(id),
    workspace_id: nullable(id),
    conversation_id: nullable(id),
    thread_id: nullable(id),
    actor_id: nullable(id),
    status: z.enum(interactionStatuses),
    status_reason: nullable(z.string()),
    request: openObject,
    submission: nullable(openObject),
    submitted_at: nullable(seconds),
    submitted_by: nullable(identity),
    expires_at: seconds,
    created_at: seconds,
    updated_at: seconds,
    idempotent: z.literal(true).optional(),
  })
  .meta({ id: "Interaction" });
export type Interaction = z.output<typeof interaction>;

export const steeringItem = z
  .object({
    steering_id: id,
    type: z.enum([
      "message", "interaction.submitted", "interaction.cancelled", "interaction.expired",
    ]),
    claimed_run_id: id,
    runner_id: runnerId,
    claimed_at: seconds,
    lease_expires_at: seconds,
    delivery_count: count,
    event: openObject,
    conversation: openObject,
    actor: nullable(openObject),
    subject: nullable(openObject),
    input: nullable(openObject),
    interaction: nullable(interaction),
  })
  .meta({ id: "SteeringItem" });
export type SteeringItem = z.output<typeof steeringItem>;

export const eventPage = z.object(pageShape(eventRecord)).meta({ id: "EventPage" });
export type EventPage = z.output<typeof eventPage>;

export const transcriptPage = z.object(pageShape(transcriptItem)).meta({ id: "TranscriptPage" });
export type TranscriptPage = z.output<typeof transcriptPage>;

export const interactionPage = z.object(pageShape(interaction)).meta({ id: "InteractionPage" });
export type InteractionPage = z.output<typeof interactionPage>;

export const searchResult = z
  .object({
    items: z.array(transcriptItem),
    total_count: count,
    has_more: z.boolean(),
    query: z.string(),
  })
  .meta({ id: "SearchResult" });
export type SearchResult = z.output<typeof searchResult>;

export const publishedEvent = z
  .object({
    event_id: id,
    disposition: z.enum(["absorbed", "run_created", "logged"]),
    run_id: nullable(id),
    steering_id: nullable(id),
    idempotent: z.literal(true).optional(),
  })
  .meta({ id: "PublishedEvent" });
export type PublishedEvent = z.output<typeof publishedEvent>;

const acknowledged = { acked: z.array(id), not_found: z.array(id) };
export const steeringAck = z.object(acknowledged).meta({ id: "SteeringAck" });
export type SteeringAck = z.output<typeof steeringAck>;

export const pulledSteering = z
  .object({ items: z.array(steeringItem), pending: count, ack: steeringAck.optional() })
  .meta({ id: "PulledSteering" });
export type PulledSteering = z.output<typeof pulledSteering>;

export const stateValue = z
  .object({ value: json, found: z.boolean(), version: count })
  .meta({ id: "StateValue" });
export type StateValue = z.output<typeof stateValue>;

export const stateKeys = z
  .object({
    keys: z.array(z.string()),
    has_more: z.boolean(),
    next_after_key: nullable(z.string()),
  })
  .meta({ id: "StateKeys" });
export type StateKeys = z.output<typeof stateKeys>;

export type StateScope = (typeof stateScopes)[number];
