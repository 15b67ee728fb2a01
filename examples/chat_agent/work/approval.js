// Asks the person for leave before something is done that cannot be undone. The question is an
// event of the run, the answer comes as steering; where nobody answers in time the host expires it.
// A worker that takes the run over waits for the answer to the same question.

import { HostError } from "runhost/client";

/**
 * @typedef {import("runhost/client").Host} Host
 * @typedef {import("../../document_report/work/held_run.js").HeldRun} HeldRun
 * @typedef {import("./inbox.js").Inbox} Inbox
 */

const answer_seconds = 60;

/**
 * @param {{ connection: Host, held: HeldRun, inbox: Inbox }} parts
 * @param {{ interaction_id: string, title: string }} question
 * @returns {Promise<"approve" | "decline" | "none">}
 */
export async function askApproval({ connection, held, inbox }, { interaction_id, title }) {
  let found = await findInteraction(connection, { run_id: held.item.run_id, interaction_id });
  if (found === null) {
    const payload = {
      interaction_id,
      kind: "confirmation",
      title,
      actions: [
        { id: "approve", label: "Delete", style: "danger" },
        { id: "decline", label: "Keep" },
      ],
      fallback_text: `${title} Answer "approve" or "decline".`,
      expires_at: Math.floor(Date.now() / 1000) + answer_seconds,
    };
    await held.emit("action.requested", { action: "interaction.requested", payload });
  }
  if (found === null || found["status"] === "pending") {
    await inbox.waitUntil(() => inbox.answerTo(interaction_id) !== undefined);
    found = inbox.answerTo(interaction_id) ?? null;
  }
  return found?.["submission"]?.action_id ?? "none";
}

/**
 * @param {Host} connection
 * @param {{ run_id: string, interaction_id: string }} named
 * @returns {Promise<Record<string, any> | null>}
 */
const findInteraction = (connection, named) =>
  connection.call("interaction_get", named).catch((thrown) => {
    if (thrown instanceof HostError && thrown.code === "NOT_FOUND") return null;
    throw thrown;
  });
