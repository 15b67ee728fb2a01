// What was said before in the conversation of a run: by the person, newest first, without the
// messages that the run itself is about.

/** @typedef {ReturnType<typeof openHistory>} History */

const looked_back_max = 50;

/** @param {import("runhost/worker").History} history */
export function openHistory(history) {
  /** @type {Set<string | null>} */
  const present = new Set();
  /** @param {{ items: { role: string, event_id: string | null, content: string | null }[] }} page */
  const listEarlier = ({ items }) =>
    items
      .filter(({ role, event_id }) => role === "user" && !present.has(event_id))
      .map(({ content }) => content ?? "");

  return {
    /** @param {string} event_id A message that is being answered now. */
    leaveOut: (event_id) => void present.add(event_id),
    list: async () => listEarlier(await history.page({ limit: looked_back_max })),
    /** @param {string} query */
    search: async (query) =>
      listEarlier(await history.search(query, { filters: { roles: ["user"] } })),
  };
}
