// What the host holds about a conversation in the end: runs and approvals, asked by the surface
// that made them; transcript, event log and state, which only a live run of the agent may read, so
// one is opened for that and ended again. Used by demo.js.

import { readPages } from "../document_report/ledger.js";
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
 * @property {string | null} conversation_id
 * @property {string} status
 * @property {string | null} status_reason
 * @property {StoredEvent[]} events
 *
 * @typedef {object} Held What the host holds about one conversation.
 * @property {StoredRun[]} runs Oldest first, as all lists here.
 * @property {Record<string, any>[]} interactions
 * @property {{ role: string, content: string | null, conversation_id: string }[]} transcript
 * @property {Record<string, any>[]} log Records of the event log.
 * @property {Record<string, unknown>} remembered State of the conversation.
 * @property {number | null} answers State of the runner.
 */

/**
 * @param {Surface} surface
 * @param {{ agent: Host, session: string }} parts
 * @returns {Promise<Held>}
 */
export async function readConversation({ host, conversation_id }, { agent, session }) {
  const listed = await readPages((before_cursor) =>
    host.runList({ conversation_id, before_cursor }));
  const runs = [];
  for (const { run_id, status, status_reason } of listed.reverse()) {
    const events = await readPages((after_cursor) =>
      host.runEventsPage({ target_run_id: run_id, after_cursor }));
    runs.push({ run_id, conversation_id, status, status_reason, events });
  }
  const interactions = await readPages((before_cursor) =>
    host.interactionList({ conversation_id, before_cursor }));
  const { run_id } = await host.runCreate({
    runner_id,
    conversation_id,
    bot_id: session,
    dispatch: "running",
    event_type: "chat.review",
    source: "chat",
    state_policy: { state_scopes: ["conversation", "runner"] },
  });
  const transcript = await readPages((before_cursor) =>
    agent.historyPage({ run_id, before_cursor }));
  const log = await readPages((before_cursor) => agent.eventPage({ run_id, before_cursor }));
  const remembered = await readState(agent, run_id);
  const { value: answers } = await agent.stateGet({ run_id, ...places.answers });
  await agent.runEmitResult({ run_id, sequence: 1, type: "run.completed" });
  return {
    runs,
    interactions: interactions.reverse(),
    transcript: transcript.reverse(),
    log: log.reverse(),
    remembered,
    answers,
  };
}

/**
 * @param {Host} agent
 * @param {string} run_id
 */
async function readState(agent, run_id) {
  const scope = "conversation";
  const { keys } = await agent.stateList({ run_id, scope });
  const values = keys.map(async (key) => {
    return [key, (await agent.stateGet({ run_id, scope, key })).value];
  });
  return Object.fromEntries(await Promise.all(values));
}
