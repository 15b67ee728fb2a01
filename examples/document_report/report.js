// What a document holds, and how that reads as text. analyzeDocument takes the bytes of one file,
// renderReport the analysis and the links that lead nowhere. Pure: neither touches the disk, and
// any bytes are answered. Used by the worker, which produces one report for each run.

import { outlineSource } from "./scan/declarations.js";
import { scanMarkdown } from "./scan/markdown.js";

/**
 * @typedef {import("./scan/markdown.js").OutlineItem} OutlineItem
 * @typedef {import("./scan/markdown.js").Link} Link
 * @typedef {import("./scan/markdown.js").Fence} Fence
 *
 * @typedef {object} Analysis
 * @property {string} path
 * @property {"markdown" | "source"} kind
 * @property {boolean} is_utf8
 * @property {number} bytes
 * @property {number} lines
 * @property {number} words
 * @property {"none" | "LF" | "CRLF" | "mixed"} line_ending
 * @property {boolean} ends_with_newline
 * @property {OutlineItem[]} outline
 * @property {Link[]} links
 * @property {Fence[]} fences
 * @property {{ line: number, length: number }[]} longest_lines Length in code points.
 */

const longest_lines_max = 3;
const listed_max = 60;
const title_max = 160;
const markdown_endings = new Set([".md", ".markdown"]);

/** @param {string} path */
export function readEnding(path) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const at = name.lastIndexOf(".");
  return at <= 0 ? "" : name.slice(at).toLowerCase();
}

/** @param {string} ending */
export const isMarkdown = (ending) => markdown_endings.has(ending);

/**
 * @param {string} path Relative to the folder of the documents, with forward slashes.
 * @param {Uint8Array} bytes
 * @returns {Analysis}
 */
export function analyzeDocument(path, bytes) {
  const { text, is_utf8 } = decode(bytes);
  const lines = splitLines(text);
  const ending = readEnding(path);
  const is_markdown = isMarkdown(ending);
  const scan = is_markdown
    ? scanMarkdown(lines)
    : { outline: outlineSource(ending, lines), links: [], fences: [] };
  return {
    path,
    kind: is_markdown ? "markdown" : "source",
    is_utf8,
    bytes: bytes.length,
    lines: lines.length,
    words: countWords(text),
    line_ending: judgeLineEnding(text),
    ends_with_newline: text.endsWith("\n"),
    ...scan,
    longest_lines: findLongest(lines),
  };
}

/**
 * Bytes that are no UTF-8 become replacement characters; a byte order mark is dropped.
 * @param {Uint8Array} bytes
 */
function decode(bytes) {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), is_utf8: true };
  } catch {
    return { text: new TextDecoder("utf-8").decode(bytes), is_utf8: false };
  }
}

/**
 * A newline ends a line, so none follows the last one and an empty text has no line.
 * @param {string} text
 */
function splitLines(text) {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** @param {string} text */
const countWords = (text) => text.match(/\S+/g)?.length ?? 0;

/**
 * @param {string} text
 * @returns {Analysis["line_ending"]}
 */
function judgeLineEnding(text) {
  const crlf = text.split("\r\n").length - 1;
  const lf = text.split("\n").length - 1 - crlf;
  if (crlf > 0 && lf > 0) return "mixed";
  if (crlf > 0) return "CRLF";
  return lf > 0 ? "LF" : "none";
}

/** @param {readonly string[]} lines */
function findLongest(lines) {
  return lines
    .map((text, index) => ({ line: index + 1, length: [...text].length }))
    .sort((a, b) => b.length - a.length || a.line - b.line)
    .slice(0, longest_lines_max);
}

/**
 * Where a link of the document leads: a path relative to the folder of the documents, which may
 * begin with `../` and then lies outside; null for what is no file beside it (a URL, an anchor).
 * @param {string} path
 * @param {string} target
 */
export function resolveLink(path, target) {
  if (/^(?:[a-z][a-z0-9+.-]*:|\/\/|#|\?)/i.test(target)) return null;
  const bare = target.replace(/[?#].*$/s, "").replace(/\\(?=[!-/:-@[-`{-~])/g, "");
  const steps = target.startsWith("/") ? [] : path.split("/").slice(0, -1);
  for (const step of unescapePercent(bare).split("/")) {
    if (step === "" || step === ".") continue;
    if (step === ".." && steps.length > 0 && steps.at(-1) !== "..") steps.pop();
    else steps.push(step);
  }
  return steps.join("/") || ".";
}

/** @param {string} text */
function unescapePercent(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The links of a document that lead to files, each with the place it names.
 * @param {Analysis} analysis
 */
export function listFileLinks({ path, links }) {
  return links.flatMap((link) => {
    const place = resolveLink(path, link.target);
    return place === null ? [] : [{ ...link, place }];
  });
}

/**
 * @param {Analysis} analysis
 * @param {readonly Link[]} broken Links that lead to nothing on disk.
 */
export function renderReport(analysis, broken) {
  const { path, kind, bytes, lines, words, is_utf8 } = analysis;
  const facts = [
    `${count(lines, "line")}, ${count(words, "word")}, ${count(bytes, "byte")}`,
    is_utf8 ? "UTF-8" : "not UTF-8",
    `line ends: ${analysis.line_ending}`,
    ...(bytes > 0 && !analysis.ends_with_newline ? ["no newline at the end"] : []),
  ];
  const outline = analysis.outline.map(
    ({ level, title, line }) => `${"  ".repeat(level - 1)}${title || "(no title)"} (line ${line})`,
  );
  const longest = analysis.longest_lines.map(
    ({ line, length }) => `line ${line}: ${count(length, "character")}`,
  );
  return [
    `Report on ${clean(path)} (${kind})`,
    facts.join("; "),
    ...listSection(kind === "markdown" ? "Headings" : "Declared at the top level", outline),
    ...(kind === "markdown" ? renderLinks(analysis, broken) : []),
    ...listSection("Code fences", describeFences(analysis.fences)),
    ...listSection("Longest lines", longest),
  ].join("\n");
}

/**
 * @param {Analysis} analysis
 * @param {readonly Link[]} broken
 */
function renderLinks(analysis, broken) {
  const checked = listFileLinks(analysis).length;
  const other = analysis.links.length - checked;
  const found = `${checked} to files (${broken.length} broken), ${other} elsewhere`;
  const missing = broken.map(({ line, target }) => `broken, line ${line}: ${target}`);
  return [`Links: ${found}`, ...listItems(missing)];
}

/**
 * One line for each language, the most used first.
 * @param {readonly Fence[]} fences
 */
function describeFences(fences) {
  /** @type {Map<string, { blocks: number, lines: number }>} */
  const byLanguage = new Map();
  for (const { language, lines } of fences) {
    const sum = byLanguage.get(language) ?? { blocks: 0, lines: 0 };
    byLanguage.set(language, { blocks: sum.blocks + 1, lines: sum.lines + lines });
  }
  const described = [...byLanguage]
    .sort(([, a], [, b]) => b.blocks - a.blocks)
    .map(([language, sum]) => {
      return `${language}: ${count(sum.blocks, "block")}, ${count(sum.lines, "line")}`;
    });
  const open = fences.filter(({ closed }) => !closed);
  return [...described, ...open.map(({ line }) => `never closed: the one of line ${line}`)];
}

/**
 * @param {string} title
 * @param {readonly string[]} items
 */
const listSection = (title, items) =>
  items.length === 0 ? [] : [`${title}:`, ...listItems(items)];

/**
 * Bounded, so that the report of any file stays far below what one event may hold.
 * @param {readonly string[]} items
 */
function listItems(items) {
  const shown = items.slice(0, listed_max).map((item) => `  ${clean(item)}`);
  const more = items.length - shown.length;
  return more > 0 ? [...shown, `  … and ${more} more`] : shown;
}

/**
 * What a document says about itself may hold anything; a report holds one printable line of it.
 * @param {string} text
 */
export function clean(text) {
  const printable = [...text.replaceAll("\t", " ").replace(/\p{C}/gu, "\uFFFD")];
  return printable.length <= title_max
    ? printable.join("")
    : `${printable.slice(0, title_max - 1).join("")}…`;
}

/**
 * @param {number} amount
 * @param {string} noun
 */
const count = (amount, noun) => `${amount} ${noun}${amount === 1 ? "" : "s"}`;
