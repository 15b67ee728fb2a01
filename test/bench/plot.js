// Rows as a picture, in SVG without anything else: how far each figure is from its floor, on a
// logarithmic scale on which the floor is 1 for all of them and farther right is better. It brings
// its own background for light and for dark surroundings.

import { goalOf } from "./goals.js";
import { showNumber } from "./table.js";

const left = 330;
const span = 420;
const right = 250;
const line_height = 30;
const top = 92;
const scale = { min: 0.1, max: 10 };

const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 17px; font-weight: 600; } .small { font-size: 11px; fill: #59636e; }
  .paper { fill: #ffffff; } .grid { stroke: #d1d9e0; } .floor { stroke: #1f2328; }
  .aim { fill: #ffffff; stroke: #1f2328; stroke-width: 1.5; } .spread { stroke: #1f2328; }
  .misses { fill: #d1495b; } .at-least { fill: #3d7ea6; } .reaches { fill: #3a8f5c; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .small { fill: #9198a1; } .paper { fill: #0d1117; }
    .grid { stroke: #3d444d; } .floor, .spread { stroke: #e6edf3; }
    .aim { fill: #0d1117; stroke: #e6edf3; }
  }`;

/** How many floors a value is, so that more is better. */
/** @param {import("./goals.js").Goal} goal @param {number} value */
const attain = ({ sense, floor }, value) => (sense === "at least" ? value / floor : floor / value);

/** @param {number} attained */
function placeAt(attained) {
  const inside = Math.min(scale.max, Math.max(scale.min, attained));
  const share = Math.log(inside / scale.min) / Math.log(scale.max / scale.min);
  return left + share * span;
}

/** @param {string} text */
const escape = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;

/**
 * @param {readonly import("./rows.js").Row[]} rows
 * @param {readonly string[]} captions
 */
export function drawRows(rows, captions) {
  const bottom = top + rows.length * line_height;
  const height = bottom + 46 + captions.length * 16;
  const width = left + span + right;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>Benchmark figures against their goals</title><style>${style}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    `<text class="title" x="20" y="34">Figures against their goals</text>`,
    `<text class="small" x="20" y="54">Distance from what is at least asked for (1×), ` +
      `logarithmic; right is better. Diamond: the aim. Whisker: the rounds.</text>`,
    ...drawGrid(bottom),
    ...rows.flatMap((row, index) => drawRow(row, top + index * line_height)),
    ...captions.map((caption, index) =>
      `<text class="small" x="20" y="${bottom + 46 + index * 16}">${escape(caption)}</text>`),
    "</svg>",
    "",
  ].join("\n");
}

/** @param {number} bottom */
function drawGrid(bottom) {
  return [0.1, 0.2, 0.5, 1, 2, 5, 10].flatMap((mark) => {
    const x = round(placeAt(mark));
    const kind = mark === 1 ? "floor" : "grid";
    return [
      `<line class="${kind}" x1="${x}" x2="${x}" y1="${top - 10}" y2="${bottom}"/>`,
      `<text class="small" x="${x}" y="${bottom + 18}" text-anchor="middle">${mark}×</text>`,
    ];
  });
}

/** @param {import("./rows.js").Row} row @param {number} y */
function drawRow(row, y) {
  const goal = goalOf(row.key);
  const middle = y + line_height / 2 - 4;
  const floor = placeAt(1);
  const at = placeAt(attain(goal, row.value));
  const [from, to] = row.spread.map((value) => round(placeAt(attain(goal, value))));
  const aim = round(placeAt(attain(goal, goal.aim)));
  const kind = { misses: "misses", "at least": "at-least", aim: "reaches" }[row.verdict];
  const unit = goal.unit === "ratio" ? "×" : ` ${goal.unit}`;
  const bound = goal.sense === "at least" ? "≥" : "≤";
  const value = `${showNumber(row.value)}${unit}`;
  const asked = `${bound} ${goal.floor}, aim ${goal.aim}`;
  return [
    `<text x="20" y="${middle + 5}"><tspan font-weight="600">${row.key.split(" ")[0]}</tspan> ` +
      `<tspan class="small">${escape(goal.says)}</tspan></text>`,
    `<rect class="${kind}" x="${round(Math.min(floor, at))}" y="${middle - 8}" ` +
      `width="${round(Math.max(1.5, Math.abs(at - floor)))}" height="16" rx="2"/>`,
    `<line class="spread" x1="${from}" x2="${to}" y1="${middle}" y2="${middle}"/>`,
    `<path class="aim" d="M${aim} ${middle - 6}l6 6l-6 6l-6 -6z"/>`,
    `<text x="${left + span + 16}" y="${middle + 5}">${value} ` +
      `<tspan class="small">${asked}: ${row.verdict}</tspan></text>`,
  ];
}
