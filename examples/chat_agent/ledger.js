// What the host holds about a conversation in the end: runs and approvals, asked by the surface
// that made them; transcript, event log and state, which only a live run of the agent may read, so
// one is opened for that and ended again. Used by demo.js.

import { runner_id } from "./cast.js";
import { places } from "./work/memory.js";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {import("./surface.js").Surface} Surface
 *
 * @typedef {import("./surface.js").LiveEvent & { source: string }} StoredEvent
 *
 * @typedef {object} StoredRun
 * @property {string} run_id
 * @property {string} conversation_id
 * @property {string} status
 * @property {string | null} status_reason
 * @property {StoredEvent[]} events
 *
 * @typedef {{ value: any, version: number }} Stored
 *
 * @typedef {object} Held What the host holds about one conversation.
 * @property {StoredRun[]} runs Oldest first, as all lists here.
 * @property {Record<string, any>[]} interactions
 * @property {{ role: string, content: string, conversation_id: string }[]} transcript
 * @property {Record<string, any>[]} log Records of the event log.
 * @property {Record<string, unknown>} remembered State of the conversation.
 * @property {number | null} answers State of the runner.
 */

const page_limit_max = 100;

/**
 * @param {Surface} surface
 * @param {{ agent: Host, session: string }} parts
 * @returns {Promise<Held>}
 */
export async function readConversation({ connection, conversation_id }, { agent, session }) {
  const listed = await readPages(connection, "run_list", { conversation_id });
  const runs = [];
  for (const { run_id, status, status_reason } of listed.reverse()) {
    const events = await readPages(connection, "run_events_page", { target_run_id: run_id });
    runs.push({ run_id, conversation_id, status, status_reason, events });
  }
  const interactions = await readPages(connection, "interaction_list", { conversation_id });
  const { run_id } = await connection.call("run_create", {
    runner_id,
    conversation_id,
    bot_id: session,
    dispatch: "running",
    event_type: "chat.review",
    source: "chat",
    state_policy: { state_scopes: ["conversation", "runner"] },
    timeout_seconds: 60,
  });
  const told = {
    transcript: (await readPages(agent, "history_page", { run_id })).reverse(),
    log: (await readPages(agent, "event_page", { run_id })).reverse(),
    remembered: await readState(agent, run_id),
    answers: (await agent.call("state_get", { run_id, ...places.answers })).value,
  };
  await agent.call("run_emit_result", { run_id, sequence: 1, type: "run.completed" });
  return { runs, interactions: interactions.reverse(), ...told };
}

/**
 * @param {Host} agent
 * @param {string} run_id
 */
async function readState(agent, run_id) {
  const scope = "conversation";
  const { keys } = await agent.call("state_list", { run_id, scope });
  const values = keys.map(async (/** @type {string} */ key) => {
    return [key, (await agent.call("state_get", { run_id, scope, key })).value];
  });
  return Object.fromEntries(await Promise.all(values));
}

/** The lists that are read backwards say where to go on with before_cursor. */
const forward = ["run_events_page"];

/**
 * @param {Host} connection
 * @param {string} method
 * @param {object} params
 * @returns {Promise<any[]>}
 */
async function readPages(connection, method, params) {
  const items = [];
  const name = forward.includes(method) ? "after_cursor" : "before_cursor";
  let cursor = /** @type {string | null} */ (null);
  do {
    const asked = { ...params, [name]: cursor, limit: page_limit_max };
    const page = await connection.call(method, asked);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}
