// Rows as the table that is printed: id · figure · denominator · ratio · verdict, and below it what
// was measured beside and what has to be known to read a row.

import { goalOf } from "./goals.js";

/** @param {number} value */
export const showNumber = (value) => {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
};

/** @param {import("./rows.js").Series} series */
export const showSeries = ({ median, min, max, unit, name }) =>
  `${showNumber(median)} ${unit} (${showNumber(min)}–${showNumber(max)}) ${name}`;

/** @param {readonly import("./rows.js").Row[]} rows */
export function renderRows(rows) {
  const lines = rows.map((row) => {
    const goal = goalOf(row.key);
    const bound = goal.sense === "at least" ? "≥" : "≤";
    const unit = goal.unit === "ratio" ? "" : ` ${goal.unit}`;
    const [low, high] = row.spread;
    return [
      row.key,
      showSeries(row.figure),
      row.denominator === null ? "–" : showSeries(row.denominator),
      row.denominator === null
        ? "–" : `${showNumber(row.value)} (${showNumber(low)}–${showNumber(high)})`,
      `${bound} ${goal.floor}${unit}`,
      `${bound} ${goal.aim}${unit}`,
      row.verdict,
    ];
  });
  const head = ["id", "figure", "denominator", "ratio", "at least", "aim", "verdict"];
  const notes = rows.flatMap(({ key, notes: said, beside }) => [
    ...said.map((note) => `${key}: ${note}`),
    ...beside.map((series) => `${key}: beside it ${showSeries(series)}`),
  ]);
  return ["", ...renderTable([head, ...lines]), "", ...notes, ""].join("\n");
}

/** @param {readonly (readonly string[])[]} lines the first is the head @returns {string[]} */
export function renderTable(lines) {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => [...(line[column] ?? "")].length)));
  const written = lines.map((line) =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`);
  written.splice(1, 0, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
  return written;
}
