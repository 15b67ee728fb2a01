// Text for the terminal: one progress line while runs go on, then the table of all runs, the sum by
// status and one report. File names are shown printable. Used by demo.js.

import { clean } from "./report.js";

/**
 * @typedef {import("./acts.js").Planned} Planned
 * @typedef {import("./verdict.js").Entry} Entry
 */

const file_width_max = 64;
const plain_every_ms = 2000;
const sample_lines_max = 40;

/** @type {Readonly<Record<Planned["act"], string>>} */
const notes = {
  report: "",
  cancel_queued: " [cancelled while queued]",
  cancel_running: " [cancelled at work]",
  kill: " [its worker was killed]",
};

/**
 * Rewrites one line on a terminal; elsewhere writes a plain line now and then.
 * @param {NodeJS.WriteStream} stream
 */
export function createProgress(stream) {
  let shown = "";
  let shown_at_ms = -plain_every_ms;
  return {
    /** @param {ReadonlyMap<string, number>} counts Runs by status. */
    update(counts) {
      const text = `runs: ${describeCounts(counts)}`;
      if (text === shown) return;
      if (stream.isTTY) {
        stream.write(`\r\x1b[K${text.slice(0, (stream.columns || 80) - 1)}`);
      } else {
        const now_ms = performance.now();
        if (now_ms - shown_at_ms < plain_every_ms) return;
        shown_at_ms = now_ms;
        stream.write(`${text}\n`);
      }
      shown = text;
    },
    /** @param {string} line */
    say(line) {
      stream.write(stream.isTTY ? `\r\x1b[K${line}\n` : `${line}\n`);
      shown = "";
    },
  };
}

/** @param {ReadonlyMap<string, number>} counts */
function describeCounts(counts) {
  const parts = [...counts]
    .filter(([, amount]) => amount > 0)
    .map(([status, amount]) => `${amount} ${status}`);
  return parts.join(", ") || "none yet";
}

/**
 * @param {readonly Planned[]} planned
 * @param {readonly Entry[]} entries
 */
export function renderTable(planned, entries) {
  const byId = new Map(planned.map((plan) => [plan.run_id, plan]));
  const rows = entries
    .map(({ run, events }) => {
      const plan = byId.get(run.run_id);
      const { created_at_ms, started_at_ms, finished_at_ms } = run;
      return [
        shorten(clean(plan?.path ?? run.run_id)) + (plan === undefined ? "" : notes[plan.act]),
        run.status,
        String(run.dispatch_attempts),
        String(events.length),
        measure(created_at_ms, started_at_ms),
        measure(started_at_ms, finished_at_ms),
      ];
    })
    .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  return alignColumns([
    ["file", "status", "attempts", "events", "queue wait ms", "duration ms"],
    ...rows,
  ]);
}

/**
 * @param {number | null} from_ms
 * @param {number | null} to_ms
 */
const measure = (from_ms, to_ms) =>
  from_ms === null || to_ms === null ? "-" : String(to_ms - from_ms);

/**
 * The end of a path says more than its beginning.
 * @param {string} text
 */
function shorten(text) {
  const letters = [...text];
  return letters.length <= file_width_max
    ? text
    : `…${letters.slice(letters.length - file_width_max + 1).join("")}`;
}

/**
 * Words to the left, numbers to the right.
 * @param {readonly string[][]} rows
 */
function alignColumns(rows) {
  const first = rows[0] ?? [];
  const widths = first.map((_, column) =>
    Math.max(...rows.map((row) => [...(row[column] ?? "")].length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const gap = " ".repeat((widths[column] ?? 0) - [...cell].length);
          return column < 2 ? cell + gap : gap + cell;
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** @param {readonly Entry[]} entries */
export function renderSummary(entries) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { run } of entries) counts.set(run.status, (counts.get(run.status) ?? 0) + 1);
  const again = entries.filter(({ run }) => run.dispatch_attempts > 1).length;
  return `${entries.length} runs: ${describeCounts(counts)}; ${again} claimed more than once`;
}

/**
 * One report as the ledger holds it: of the topmost README, else of a short path.
 * @param {readonly Planned[]} planned
 * @param {readonly Entry[]} entries
 */
export function renderSample(planned, entries) {
  const reports = planned.flatMap(({ run_id, path }) => {
    const events = entries.find(({ run }) => run.run_id === run_id)?.events ?? [];
    const message = events.at(-1)?.data["message"];
    return message === undefined ? [] : [{ path, text: String(message.content) }];
  });
  reports.sort((a, b) => a.path.length - b.path.length);
  const chosen =
    reports.find(({ path }) => /(^|\/)readme\.md$/i.test(path)) ??
    reports.find(({ path }) => path.endsWith(".md")) ??
    reports[0];
  if (chosen === undefined) return "no run has a report";
  const lines = chosen.text.split("\n");
  const more = lines.length - sample_lines_max;
  return [
    ...lines.slice(0, sample_lines_max),
    ...(more > 0 ? [`… and ${more} more lines`] : []),
  ].join("\n");
}
