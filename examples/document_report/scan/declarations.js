// The outline of a source file: names declared or exported at its top level, by language. It looks
// at lines, not at syntax trees; text inside comments and long strings is passed over.
// Pure; a language that it does not know has an empty outline.

import { line_characters_max } from "./markdown.js";
import { dropScriptText } from "./script_text.js";

/**
 * @typedef {import("./markdown.js").OutlineItem} OutlineItem
 * @typedef {{ patterns: RegExp[], drop: (lines: readonly string[]) => string[] }} Language
 */

const modifiers = String.raw`(?:(?:export|default|declare|abstract|async)\s+)*`;
const keywords = String.raw`function\s*\*?|class|interface|type|enum|namespace|const|let|var`;
const script = [
  new RegExp(String.raw`^(?<kind>${modifiers}(?:${keywords}))\s+(?<name>[A-Za-z_$][\w$]*)`),
  /^(?<kind>export\s+default)\s+(?<name>[A-Za-z_$][\w$]*)/,
  /^(?<kind>export)\s+(?:type\s+)?(?<name>(?:\{[^}]*\}|\*)(?:\s+from\s+["'][^"']+["'])?)/,
];
const python = [/^(?<kind>(?:async\s+)?def|class)\s+(?<name>[A-Za-z_]\w*)/];
const shell = [/^(?<kind>)(?:function\s+)?(?<name>[A-Za-z_][\w.-]*)\s*\(\)/];
const sqlModifiers = String.raw`(?:(?:or\s+replace|temp|unlogged|unique|materialized)\s+)*`;
const sqlKinds = "table|view|function|procedure|index|type|domain|trigger|sequence|schema|role";
const sqlPrefix = String.raw`(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?`;
const sql = [
  new RegExp(
    String.raw`^\s*(?<kind>create\s+${sqlModifiers}(?:${sqlKinds}))\s+${sqlPrefix}(?<name>[\w".]+)`,
    "i",
  ),
];

const scriptLanguage = { patterns: script, drop: dropScriptText };

/** @type {ReadonlyMap<string, Language>} */
const languages = new Map([
  [".ts", scriptLanguage],
  [".tsx", scriptLanguage],
  [".js", scriptLanguage],
  [".jsx", scriptLanguage],
  [".mjs", scriptLanguage],
  [".cjs", scriptLanguage],
  [".py", { patterns: python, drop: dropPythonText }],
  [".sh", { patterns: shell, drop: (lines) => [...lines] }],
  [".sql", { patterns: sql, drop: dropSqlComments }],
]);

/** Endings of the files that have an outline here, JSON included. */
export const source_endings = [...languages.keys(), ".json"];

/**
 * @param {string} ending
 * @param {readonly string[]} lines
 * @returns {OutlineItem[]}
 */
export function outlineSource(ending, lines) {
  if (ending === ".json") return outlineJson(lines);
  const language = languages.get(ending);
  if (language === undefined) return [];
  const beginnings = lines.map((line) => line.slice(0, line_characters_max));
  return language.drop(beginnings).flatMap((text, index) => {
    const found = language.patterns.map((pattern) => pattern.exec(text)).find(Boolean);
    if (!found) return [];
    const { kind = "", name = "" } = found.groups ?? {};
    return [{ level: 1, title: `${kind} ${name}`.replace(/\s+/g, " ").trim(), line: index + 1 }];
  });
}

/**
 * The members of the object in the file; none where the text is no JSON object.
 * @param {readonly string[]} lines
 * @returns {OutlineItem[]}
 */
function outlineJson(lines) {
  try {
    const value = JSON.parse(lines.join("\n"));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
    return Object.keys(value).map((title) => {
      const quoted = JSON.stringify(title);
      const line = lines.findIndex((text) => text.trimStart().startsWith(quoted)) + 1;
      return { level: 1, title, line: Math.max(line, 1) };
    });
  } catch {
    return [];
  }
}

/** @param {readonly string[]} lines */
function dropPythonText(lines) {
  let mark = "";
  return lines.map((line) => {
    const begins_inside = mark !== "";
    for (const [found] of line.replace(/#.*$/, "").matchAll(/"""|'''/g)) {
      if (mark === "") mark = found;
      else if (mark === found) mark = "";
    }
    return begins_inside ? "" : line;
  });
}

/** @param {readonly string[]} lines */
function dropSqlComments(lines) {
  let in_comment = false;
  return lines.map((line) => {
    const begins_inside = in_comment;
    for (const [found] of line.replace(/--.*$/, "").matchAll(/\/\*|\*\//g)) {
      in_comment = found === "/*";
    }
    return begins_inside ? "" : line;
  });
}
