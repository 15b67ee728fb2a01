// The side of the person: brings messages in, follows live what the agent writes, and answers when
// it asks for leave. One connection for each conversation. What it saw is kept, so that the demo
// can hold it against the ledger.

import { runner_id } from "./cast.js";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {import("runhost/client").RunEvent} RunEvent
 * @typedef {import("./script.js").Person} Person
 * @typedef {import("./script.js").Line} Line
 * @typedef {ReturnType<typeof openSurface>} Surface
 * @typedef {Pick<RunEvent, "sequence" | "type" | "data">} LiveEvent
 *
 * @typedef {object} Sent One message, and what event_publish said of it.
 * @property {string} event_id
 * @property {string} text
 * @property {"absorbed" | "run_created" | "logged"} disposition
 * @property {string | null} run_id
 */

/**
 * @param {object} parts
 * @param {Host} parts.host
 * @param {Person} parts.person
 * @param {string} parts.session Makes the conversation that of this demo alone.
 * @param {(who: string, text: string) => void} parts.say
 */
export function openSurface({ host, person, session, say }) {
  const conversation_id = `${session}-${person.id}`;
  /** @type {Sent[]} */
  const sent = [];
  /** @type {Map<string, LiveEvent[]>} */
  const live = new Map();

  /**
   * @param {string} text
   * @param {{ is_typing: boolean }} more
   */
  async function publish(text, { is_typing }) {
    const event_id = `${conversation_id}-${sent.length + 1}`;
    say(person.id, `> ${text}`);
    const { disposition, run_id } = await host.eventPublish({
      event_id,
      runner_id,
      conversation_id,
      bot_id: session,
      queue_name: session,
      source: "chat",
      actor: { actor_type: "user", actor_id: person.id },
      text,
      data: is_typing ? { typing: true } : {},
      state_policy: { state_scopes: ["conversation", "runner"] },
      prompt: person.prompt,
      timeout_seconds: 600,
    });
    sent.push({ event_id, text, disposition, run_id });
    if (disposition === "absorbed") say(person.id, "  (reaches the run that is working)");
    return String(run_id);
  }

  /** @param {readonly LiveEvent[]} events A run's, up to the end of its answer. */
  function showAnswer(events) {
    const { content, resp_message_id } = events.at(-1)?.data["message"];
    for (const draft of listDrafts(events)) {
      if (draft.id !== resp_message_id) say(person.id, `~ ${draft.text.trim()} …`);
    }
    say(person.id, `< ${content}`);
  }

  /**
   * Nothing is deleted that the person was not going to have deleted.
   * @param {RunEvent} event
   * @param {Line} line
   */
  async function decide({ run_id, data: { payload } }, { decision: action_id = "decline" }) {
    const { interaction_id, title } = /** @type {Record<string, string>} */ (payload);
    say(person.id, `? ${title} → ${action_id}`);
    const answer = { interaction_id: String(interaction_id), action_id, actor_id: person.id };
    await host.interactionSubmit({ target_run_id: run_id, ...answer });
  }

  return {
    person,
    conversation_id,
    host,
    sent,
    live,
    /**
     * Writes a line and follows its run to the end; what is added comes while the agent writes.
     * @param {Line} line
     * @param {() => Promise<void>} meet Resolves when everybody is about to add something.
     */
    async play(line, meet) {
      let { then } = line;
      const run_id = await publish(line.text, { is_typing: then !== undefined });
      /** @type {LiveEvent[]} */
      const events = [];
      live.set(run_id, events);
      for await (const event of host.events(run_id)) {
        events.push(event);
        if (event.type === "message.delta" && then !== undefined) {
          await meet();
          await publish(then, { is_typing: false });
          then = undefined;
        }
        if (event.data["action"] === "interaction.requested") await decide(event, line);
        if (event.type === "run.completed") showAnswer(events);
      }
    },
  };
}

/**
 * The drafts of a run, each as its pieces give it.
 * @param {readonly LiveEvent[]} events
 */
export function listDrafts(events) {
  /** @type {Map<string, string>} */
  const drafts = new Map();
  for (const { type, data } of events) {
    if (type !== "message.delta") continue;
    const { resp_message_id, content } = data["chunk"];
    drafts.set(resp_message_id, (drafts.get(resp_message_id) ?? "") + content);
  }
  return [...drafts].map(([id, text]) => ({ id, text }));
}
