// What the ledger says about the runs of this demo, asked by the identity that created them: counts
// while they go on, then every run with its events. Used by demo.js and acts.js.

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {import("runhost/client").Run} Run
 * @typedef {import("runhost/client").RunEvent} RunEvent
 * @typedef {import("runhost/client").RunStatus} RunStatus
 * @typedef {{ run: Run, events: RunEvent[] }} Entry
 */

/** @type {RunStatus[]} */
export const open_statuses = ["created", "queued", "claimed", "running"];
/** @type {RunStatus[]} */
const counted_statuses = ["queued", "claimed", "completed", "failed", "cancelled", "timeout"];
const page_limit_max = 100;
const parallel_max = 8;

/**
 * Runs of one conversation by status. Each number is of its own moment: a run that moves meanwhile
 * may be counted twice or not at all, so this is for looking at.
 * @param {Host} connection
 * @param {string} conversation_id
 * @returns {Promise<Map<string, number>>}
 */
export async function countRuns(connection, conversation_id) {
  const counted = counted_statuses.map(async (status) => {
    const asked = { conversation_id, statuses: [status], limit: 1, include_total: true };
    const { total_count } = await connection.runList(asked);
    return /** @type {const} */ ([status, total_count ?? 0]);
  });
  return new Map(await Promise.all(counted));
}

/**
 * Whether any run of the conversation has not ended, in one look.
 * @param {Host} connection
 * @param {string} conversation_id
 */
export async function hasOpenRuns(connection, conversation_id) {
  const asked = { conversation_id, statuses: open_statuses, limit: 1 };
  return (await connection.runList(asked)).items.length > 0;
}

/**
 * Every run of the conversation with its events, oldest first.
 * @param {Host} connection
 * @param {string} conversation_id
 * @returns {Promise<Entry[]>}
 */
export async function readLedger(connection, conversation_id) {
  const limit = page_limit_max;
  const listed = await readPages((before_cursor) =>
    connection.runList({ conversation_id, before_cursor, limit }));
  return mapParallel(listed.reverse(), async (run) => {
    const target_run_id = run.run_id;
    const events = await readPages((after_cursor) =>
      connection.runEventsPage({ target_run_id, after_cursor, limit }));
    return { run, events };
  });
}

/**
 * All items of a list, page by page.
 * @template Item
 * @param {(cursor: string | null) => Promise<{ items: Item[], next_cursor: string | null }>} read
 */
export async function readPages(read) {
  const items = [];
  let cursor = /** @type {string | null} */ (null);
  do {
    const page = await read(cursor);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}

/**
 * A few at a time, answers in the order of the items.
 * @template Item, Answer
 * @param {readonly Item[]} items
 * @param {(item: Item) => Promise<Answer>} ask
 */
export async function mapParallel(items, ask) {
  /** @type {Answer[]} */
  const answers = [];
  const entries = items.entries();
  const work = async () => {
    for (const [index, item] of entries) answers[index] = await ask(item);
  };
  await Promise.all(Array.from({ length: parallel_max }, work));
  return answers;
}
