// Reads the structure of a Markdown text line by line: headings, links and code fences. Whatever
// stands in a fence, an indented code block, an HTML comment or front matter is no heading and no
// link. Pure; refuses nothing: any text is some Markdown.

/**
 * @typedef {{ level: number, title: string, line: number }} OutlineItem
 * @typedef {{ line: number, target: string }} Link
 * @typedef {{ language: string, line: number, lines: number, closed: boolean }} Fence
 * @typedef {{ mark: string, fence: Fence }} OpenFence
 *
 * @typedef {object} Scan
 * @property {OutlineItem[]} outline
 * @property {Link[]} links
 * @property {Fence[]} fences
 * @property {OpenFence | null} open
 * @property {boolean} in_comment
 * @property {number} list_indent Column at which the text of the present list item begins.
 * @property {boolean} after_blank
 * @property {string | null} paragraph Last line of a paragraph, which an underline makes a heading.
 */

/** Of a longer line only the beginning is read: generated text must not cost a worker its lease. */
export const line_characters_max = 20_000;

const listItem = /^(\s*)([-*+]|\d{1,9}[.)])(\s+)(?=\S)/;
const fenceStart = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})\s*([^\s`{,]*)/;

/**
 * @param {readonly string[]} lines
 * @returns {{ outline: OutlineItem[], links: Link[], fences: Fence[] }}
 */
export function scanMarkdown(lines) {
  /** @type {Scan} */
  const scan = {
    outline: [],
    links: [],
    fences: [],
    open: null,
    in_comment: false,
    list_indent: 0,
    after_blank: true,
    paragraph: null,
  };
  const start = countFrontMatter(lines);
  for (const [index, text] of lines.entries()) {
    if (index < start) continue;
    const beginning = text.slice(0, line_characters_max).replaceAll("\t", "    ");
    readLine(scan, beginning, index + 1);
  }
  return { outline: scan.outline, links: scan.links, fences: scan.fences };
}

/** @param {readonly string[]} lines */
function countFrontMatter(lines) {
  if (lines[0] !== "---") return 0;
  const end = lines.indexOf("---", 1);
  return end === -1 ? 0 : end + 1;
}

/**
 * @param {Scan} scan
 * @param {string} whole
 * @param {number} line
 */
function readLine(scan, whole, line) {
  if (scan.open !== null) return readFenceLine(scan, scan.open, whole);
  const text = dropComments(scan, whole);
  if (text.trim() === "") {
    scan.after_blank = true;
    scan.paragraph = null;
    return;
  }
  const body = enterList(scan, text);
  const fence = fenceStart.exec(body);
  if (fence !== null) {
    openFence(scan, fence, line);
  } else if (!(body.startsWith("    ") && scan.paragraph === null)) {
    readText(scan, body, line);
  }
  scan.after_blank = false;
}

/**
 * @param {Scan} scan
 * @param {RegExpExecArray} found
 * @param {number} line
 */
function openFence(scan, [, mark = "", word = ""], line) {
  const fence = { language: word.toLowerCase() || "none", line, lines: 0, closed: false };
  scan.fences.push(fence);
  scan.open = { mark, fence };
  scan.paragraph = null;
}

/**
 * A fence is closed by at least as many of its own marks, so that a longer one may hold a shorter.
 * @param {Scan} scan
 * @param {OpenFence} open
 * @param {string} text
 */
function readFenceLine(scan, { mark, fence }, text) {
  const word = text.trim();
  const is_end = word.length >= mark.length && word === mark.charAt(0).repeat(word.length);
  if (!is_end) {
    fence.lines += 1;
    return;
  }
  fence.closed = true;
  scan.open = null;
  scan.after_blank = false;
}

/**
 * The text without the indentation that its list item asks for.
 * @param {Scan} scan
 * @param {string} text
 */
function enterList(scan, text) {
  const indent = text.length - text.trimStart().length;
  const item = listItem.exec(text);
  if (item !== null && indent <= scan.list_indent + 3) {
    scan.list_indent = item[0].length;
    scan.paragraph = null;
    return text.slice(item[0].length);
  }
  if (indent < scan.list_indent) {
    scan.paragraph = null;
    if (scan.after_blank) scan.list_indent = 0;
  }
  return text.slice(Math.min(indent, scan.list_indent));
}

/**
 * @param {Scan} scan
 * @param {string} text
 * @param {number} line
 */
function readText(scan, text, line) {
  scan.links.push(...listLinks(text).map((target) => ({ line, target })));
  const heading = /^ {0,3}(#{1,6})(?:\s+(.*))?$/.exec(text);
  if (heading !== null) {
    const [, marks = "", rest = ""] = heading;
    const title = rest.trim().replace(/(?:^|\s)#+$/, "").trim();
    scan.outline.push({ level: marks.length, title, line });
    scan.paragraph = null;
    return;
  }
  const underline = /^ {0,3}(?:(=+)|-+)\s*$/.exec(text);
  if (underline !== null && scan.paragraph !== null) {
    const level = underline[1] === undefined ? 2 : 1;
    scan.outline.push({ level, title: scan.paragraph.trim(), line: line - 1 });
    scan.paragraph = null;
    return;
  }
  scan.paragraph = /^ {0,3}[>|]/.test(text) ? null : text;
}

/**
 * Removes HTML comments, also those that go on over several lines.
 * @param {Scan} scan
 * @param {string} text
 */
function dropComments(scan, text) {
  let rest = text;
  let kept = "";
  for (;;) {
    const mark = scan.in_comment ? "-->" : "<!--";
    const at = rest.indexOf(mark);
    if (!scan.in_comment) kept += at === -1 ? rest : rest.slice(0, at);
    if (at === -1) return kept;
    rest = rest.slice(at + mark.length);
    scan.in_comment = !scan.in_comment;
  }
}

const inlineLink = /(?<!\\)\]\(\s*(?:<([^<>]*)>|((?:[^\s()\\]|\\.|\([^\s()]*\))+))(?:\s[^()]*)?\)/g;
const definition = /^ {0,3}\[(?!\^)[^\]]+\]:\s*(?:<([^<>]*)>|(\S+))/g;
const attribute = /<(?:a|img)\s[^<>]*?(?:href|src)=(?:"([^"]*)"|'([^']*)')/gi;

/**
 * Targets of inline links, images, reference definitions and HTML anchors outside code spans.
 * @param {string} text
 */
function listLinks(text) {
  if (!/\]\(|\]:|<a|<img/i.test(text)) return [];
  const plain = text.replace(/(?<![`\\])(`+)(?!`)(.*?[^`])\1(?!`)/g, "");
  return [inlineLink, definition, attribute]
    .flatMap((pattern) => [...plain.matchAll(pattern)])
    .map(([, quoted, bare]) => (quoted ?? bare ?? "").trim())
    .filter((target) => target !== "");
}
