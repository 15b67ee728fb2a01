// What hangs on a run beside its events: an interaction, a steering item, transcript, state and a
// prompt, written into the rows of a run that stands in whatever state; and everything that a call
// could change of it.

import type { AccessWorld } from "./access_world.js";

/** A request of the run for a note, as its end would have left it where the run has ended. */
export const plantInteraction = async (
  world: AccessWorld,
  run_id: string,
  rest: { actor_id?: string; is_over?: boolean } = {},
): Promise<void> => {
  const request = {
    interaction_id: "ask", kind: "form", title: "Note", description: null,
    fields: [{
      id: "note", label: "Note", type: "text", required: false, options: [], placeholder: null,
      default: null,
    }],
    actions: [], expires_at: 4102444800, fallback_text: "A note?",
  };
  await world.sql`
    insert into agent_interaction (tenant_id, run_id, interaction_id, sequence, runner_id,
      workspace_id, bot_id, conversation_id, thread_id, actor_id, request, status, expires_at)
    select tenant_id, run_id, 'ask', 1, runner_id, workspace_id, bot_id, conversation_id, thread_id,
      ${rest.actor_id ?? null}, ${world.sql.json(request)},
      case when finished_at is null then 'pending' else 'cancelled' end,
      now() + make_interval(secs => ${rest.is_over === true ? -1 : 3600})
    from agent_run where run_id = ${run_id}`;
};

/** The words that only the planted run may show. */
export const secret = "marrow";
export const steeringOf = (run_id: string): string => `steer_${run_id}`;

/** One of everything, in the scope of the run; its state key is `k`, in scope conversation. */
export async function plantContext(world: AccessWorld, run_id: string): Promise<void> {
  const { sql } = world;
  await plantInteraction(world, run_id);
  const payload = { event: { event_id: `said_${run_id}`, data: {} }, input: { text: secret } };
  await sql`
    insert into agent_run_steering (tenant_id, steering_id, run_id, type, state, delivery_count,
      lease_expires_at, event_id, payload)
    select tenant_id, ${steeringOf(run_id)}, run_id, 'message',
      case when finished_at is null then 'leased' else 'dropped' end, 1,
      case when finished_at is null then now() + interval '1 hour' end, ${`said_${run_id}`},
      ${sql.json(payload)}
    from agent_run where run_id = ${run_id}`;
  await sql`
    insert into event_log (tenant_id, event_id, event_type, source, bot_id, workspace_id,
      conversation_id, thread_id, input_summary, run_id, runner_id, disposition)
    select tenant_id, ${`said_${run_id}`}, 'message.received', 'api', bot_id, workspace_id,
      conversation_id, thread_id, ${secret}, run_id, runner_id, 'absorbed'
    from agent_run where run_id = ${run_id}`;
  await sql`
    insert into transcript (tenant_id, transcript_id, origin, event_id, bot_id, workspace_id,
      conversation_id, thread_id, role, content, content_tsv)
    select tenant_id, ${`msg_${run_id}`}, 'event', ${`said_${run_id}`}, bot_id, workspace_id,
      conversation_id, thread_id, 'user', ${secret}, to_tsvector('simple', ${secret})
    from agent_run where run_id = ${run_id}`;
  const prompt = [{ role: "user", content: secret }];
  await sql`update agent_run_request set prompt = ${sql.json(prompt)} where run_id = ${run_id}`;
  await plantState(world, run_id);
}

async function plantState({ sql }: AccessWorld, run_id: string): Promise<void> {
  const scope_key = sql`snapshot #>> '{state_context,scope_keys,conversation}'`;
  await sql`
    insert into agent_runner_state_scope (tenant_id, scope_key, last_version, key_count,
      total_bytes)
    select tenant_id, ${scope_key}, 7, 1, 20 from agent_run where run_id = ${run_id}`;
  await sql`
    insert into agent_runner_state (tenant_id, scope_key, state_key, value, version, bytes, scope,
      runner_id, binding_identity)
    select tenant_id, ${scope_key}, 'k', ${sql.json(secret)}, 7, 20, 'conversation', runner_id,
      snapshot ->> 'binding_identity'
    from agent_run where run_id = ${run_id}`;
}

/** Every row of one run, or of a tenant, that a call could change. */
export async function readContext(
  { sql }: AccessWorld,
  { tenant_id, run_id }: { tenant_id: string; run_id?: string },
): Promise<unknown> {
  const ofRun = run_id === undefined ? sql`` : sql`and r.run_id = ${run_id}`;
  const state = run_id === undefined ? sql`` : sql`and r.scope_key = (select
    x.snapshot #>> '{state_context,scope_keys,conversation}' from agent_run x
    where x.tenant_id = ${tenant_id} and x.run_id = ${run_id})`;
  const said = run_id === undefined ? sql`` : sql`and r.event_id = ${`said_${run_id}`}`;
  const all = (table: string, more: typeof ofRun) => sql`
    (select coalesce(jsonb_agg(to_jsonb(r) order by to_jsonb(r)::text), '[]')
      from ${sql(table)} r where r.tenant_id = ${tenant_id} ${more})`;
  const [rows] = await sql`
    select ${all("agent_run", ofRun)} as runs, ${all("agent_run_event", ofRun)} as events,
      ${all("agent_interaction", ofRun)} as interactions,
      ${all("agent_run_steering", ofRun)} as steering, ${all("event_log", ofRun)} as log,
      ${all("transcript", said)} as transcript, ${all("agent_runner_state", state)} as state,
      ${all("agent_runner_state_scope", state)} as scopes`;
  return rows;
}
