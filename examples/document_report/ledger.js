// What the ledger says about the runs of this demo, asked by the identity that created them: counts
// while they go on, then every run with its events. Used by demo.js and acts.js.

/**
 * @typedef {import("runhost/client").Host} Host
 *
 * @typedef {object} RunRecord The members of a Run that the demo looks at.
 * @property {string} run_id
 * @property {string} status
 * @property {string | null} status_reason
 * @property {string | null} claimed_by_runtime_id
 * @property {number} claim_epoch
 * @property {number} dispatch_attempts
 * @property {number} last_sequence
 * @property {number} created_at_ms
 * @property {number | null} started_at_ms
 * @property {number | null} finished_at_ms
 * @property {number | null} cancel_requested_at
 *
 * @typedef {object} RunEvent
 * @property {number} sequence
 * @property {string} type
 * @property {Record<string, any>} data
 * @property {number | null} claim_epoch
 */

export const open_statuses = ["created", "queued", "claimed", "running"];
export const ended_statuses = ["completed", "failed", "cancelled", "timeout"];
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
  const statuses = ["queued", "claimed", ...ended_statuses];
  const counted = statuses.map(async (status) => {
    const asked = { conversation_id, statuses: [status], limit: 1, include_total: true };
    const { total_count } = await connection.call("run_list", asked);
    return /** @type {const} */ ([status, total_count]);
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
  return (await connection.call("run_list", asked)).items.length > 0;
}

/**
 * @param {Host} connection
 * @param {{ conversation_id: string, statuses?: string[] }} filter
 * @returns {Promise<RunRecord[]>}
 */
export function listRuns(connection, filter) {
  return readPages((before_cursor) =>
    connection.call("run_list", { ...filter, before_cursor, limit: page_limit_max }),
  );
}

/**
 * @param {Host} connection
 * @param {string} target_run_id
 * @returns {Promise<RunRecord>}
 */
export const getRun = (connection, target_run_id) => connection.call("run_get", { target_run_id });

/**
 * @param {Host} connection
 * @param {string} target_run_id
 * @returns {Promise<RunEvent[]>}
 */
const listEvents = (connection, target_run_id) =>
  readPages((after_cursor) =>
    connection.call("run_events_page", { target_run_id, after_cursor, limit: page_limit_max }),
  );

/**
 * @typedef {{ items: any[], next_cursor: string | null }} Page
 * @param {(cursor: string | null) => Promise<Page>} readPage
 */
async function readPages(readPage) {
  const items = [];
  let cursor = /** @type {string | null} */ (null);
  do {
    const page = await readPage(cursor);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}

/**
 * Every run of the conversation with its events, oldest first.
 * @param {Host} connection
 * @param {string} conversation_id
 * @returns {Promise<{ run: RunRecord, events: RunEvent[] }[]>}
 */
export async function readLedger(connection, conversation_id) {
  const listed = (await listRuns(connection, { conversation_id })).reverse();
  return mapParallel(listed, async ({ run_id }) => {
    const [run, events] = await Promise.all([
      getRun(connection, run_id),
      listEvents(connection, run_id),
    ]);
    return { run, events };
  });
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
