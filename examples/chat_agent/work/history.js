// What was said before in the conversation of a run: by the person, newest first, without the
// messages that the run itself is about.

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {ReturnType<typeof openHistory>} History
 */

const looked_back_max = 50;

/** @param {{ connection: Host, run_id: string }} parts */
export function openHistory({ connection, run_id }) {
  /** @type {Set<string>} */
  const present = new Set();
  /** @param {{ items: Record<string, any>[] }} page */
  const listEarlier = ({ items }) =>
    items
      .filter(({ role, event_id }) => role === "user" && !present.has(event_id))
      .map(({ content }) => String(content ?? ""));

  return {
    /** @param {string} event_id A message that is being answered now. */
    leaveOut: (event_id) => void present.add(event_id),
    /** @returns {Promise<string[]>} */
    list: async () =>
      listEarlier(await connection.call("history_page", { run_id, limit: looked_back_max })),
    /**
     * @param {string} query
     * @returns {Promise<string[]>}
     */
    search: async (query) =>
      listEarlier(
        await connection.call("history_search", { run_id, query, filters: { roles: ["user"] } }),
      ),
  };
}
