// The side of the person: brings messages in, follows live what the agent writes, and answers when
// it asks for leave. One connection for each conversation. What it saw is kept, so that the demo
// can hold it against the ledger.

import { runner_id } from "./cast.js";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {import("./script.js").Person} Person
 * @typedef {import("./script.js").Line} Line
 * @typedef {ReturnType<typeof openSurface>} Surface
 *
 * @typedef {object} Sent One message, and what event_publish said of it.
 * @property {string} event_id
 * @property {string} text
 * @property {"absorbed" | "run_created" | "logged"} disposition
 * @property {string} run_id
 *
 * @typedef {object} LiveEvent
 * @property {number} sequence
 * @property {string} type
 * @property {Record<string, any>} data
 *
 * @typedef {object} LiveRun A run as its subscription told it.
 * @property {string} run_id
 * @property {LiveEvent[]} events
 * @property {Line} line
 * @property {(mark: string) => void} reach
 * @property {(mark: "writing" | "ended") => Promise<void>} reached
 */

/**
 * @param {object} parts
 * @param {Host} parts.connection
 * @param {Person} parts.person
 * @param {string} parts.session Makes the conversation that of this demo alone.
 * @param {(who: string, text: string) => void} parts.say
 */
export function openSurface({ connection, person, session, say }) {
  const conversation_id = `${session}-${person.id}`;
  /** @type {Sent[]} */
  const sent = [];
  /** @type {Map<string, LiveRun>} */
  const live = new Map();
  /** @type {Map<string, string>} */
  const subscribed = new Map();
  let fail = /** @type {(cause: unknown) => void} */ (() => undefined);
  /** @type {Promise<never>} */
  const failed = new Promise((_resolve, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  connection.onNotification((method, params) => void hear(method, params).catch(fail));
  void connection.closed.then(() => fail(new Error(`${person.id} lost the host`)));

  /**
   * @param {string} text
   * @param {{ is_typing: boolean }} more
   */
  async function publish(text, { is_typing }) {
    const event_id = `${conversation_id}-${sent.length + 1}`;
    const asked = {
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
      timeout_seconds: 60,
    };
    say(person.id, `> ${text}`);
    const { disposition, run_id } = await connection.call("event_publish", asked);
    sent.push({ event_id, text, disposition, run_id });
    if (disposition === "absorbed") say(person.id, "  (reaches the run that is working)");
    return String(run_id);
  }

  /**
   * @param {string} run_id
   * @param {string} [after_cursor] The last event that was seen; none is told twice.
   */
  async function subscribe(run_id, after_cursor) {
    const asked = { target_run_id: run_id, after_cursor };
    const { subscription_id } = await connection.call("run_subscribe", asked);
    subscribed.set(subscription_id, run_id);
  }

  /**
   * By run, not by subscription: a notification may be heard before the answer that names it.
   * @param {string} method
   * @param {Record<string, any>} params
   */
  async function hear(method, params) {
    const run = live.get(params["run_id"] ?? params["run"]?.run_id);
    if (method === "run_event" && run !== undefined) showEvent(run, params["event"]);
    if (method === "interaction_requested" && run !== undefined) await decide(run, params);
    if (method === "run_ended") run?.reach("ended");
    if (method === "subscription_dropped") {
      const { subscription_id, reason, resume_after } = params;
      const run_id = subscribed.get(subscription_id);
      if (reason !== "slow" || run_id === undefined) throw new Error(`not followed: ${reason}`);
      await subscribe(run_id, resume_after);
    }
  }

  /**
   * @param {LiveRun} run
   * @param {LiveEvent} event
   */
  function showEvent(run, event) {
    run.events.push(event);
    const { type, data } = event;
    if (type === "message.delta") run.reach("writing");
    if (type === "message.completed") {
      const { content, resp_message_id } = data["message"];
      for (const draft of listDrafts(run.events)) {
        if (draft.id !== resp_message_id) say(person.id, `~ ${draft.text.trim()} …`);
      }
      say(person.id, `< ${content}`);
    }
  }

  /**
   * @param {LiveRun} run
   * @param {Record<string, any>} asked
   */
  async function decide({ run_id, line }, { interaction: { interaction_id, request } }) {
    // Nothing is deleted that the person was not going to have deleted.
    const action_id = line.decision ?? "decline";
    say(person.id, `? ${request.title} → ${action_id}`);
    const answer = { interaction_id, action_id, actor_id: person.id };
    await connection.call("interaction_submit", { target_run_id: run_id, ...answer });
  }

  return {
    person,
    conversation_id,
    connection,
    sent,
    live,
    failed,
    /**
     * Writes a line and waits for the end of its run; what is added comes while the agent writes.
     * @param {Line} line
     * @param {() => Promise<void>} meet Resolves when everybody is about to add something.
     */
    async play(line, meet) {
      const run_id = await publish(line.text, { is_typing: line.then !== undefined });
      const run = startLive(run_id, line);
      live.set(run_id, run);
      await subscribe(run_id);
      if (line.then !== undefined) {
        await run.reached("writing");
        await meet();
        await publish(line.then, { is_typing: false });
      }
      await run.reached("ended");
    },
  };
}

/**
 * @param {string} run_id
 * @param {Line} line
 * @returns {LiveRun}
 */
function startLive(run_id, line) {
  /** @type {Map<string, () => void>} */
  const reaching = new Map();
  /** @param {string} mark */
  const expect = (mark) => {
    const reached = new Promise((resolve) => reaching.set(mark, () => resolve(undefined)));
    return /** @type {[string, Promise<any>]} */ ([mark, reached]);
  };
  const marks = new Map(["writing", "ended"].map(expect));
  return {
    run_id,
    events: [],
    line,
    reach: (mark) => reaching.get(mark)?.(),
    reached: async (mark) => marks.get(mark),
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
