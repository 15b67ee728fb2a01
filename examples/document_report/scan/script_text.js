// Tells which lines of a script begin inside a block comment or a template string, in one pass over
// each line: what looks like a declaration there is none. Substitutions of a template are passed
// over with it. Pure.

/**
 * @typedef {"comment" | "template" | null} Inside
 * @typedef {{ line: string, at: number, inside: Inside, may_hold_regexp: boolean }} Cursor
 */

const regexpText = /\/(?:[^/\\[]|\\.|\[(?:[^\]\\]|\\.)*\])+\//y;
const quotedText = { "'": /'(?:[^'\\]|\\.)*'/y, '"': /"(?:[^"\\]|\\.)*"/y };
const commentEnd = /.*?\*\//y;
const templateEnd = /(?:[^`\\]|\\.)*`/y;

/**
 * Lines that begin inside are blank in the answer.
 * @param {readonly string[]} lines
 */
export function dropScriptText(lines) {
  /** @type {Inside} */
  let inside = null;
  return lines.map((line) => {
    const began_inside = inside !== null;
    inside = scanLine({ line, at: 0, inside, may_hold_regexp: true });
    return began_inside ? "" : line;
  });
}

/**
 * @param {Cursor} cursor
 * @returns {Inside} What the next line begins in.
 */
function scanLine(cursor) {
  while (cursor.at < cursor.line.length) {
    const goes_on = cursor.inside === null ? passCode(cursor) : passInside(cursor);
    if (!goes_on) break;
  }
  return cursor.inside;
}

/** @param {Cursor} cursor */
function passInside(cursor) {
  const end = findEnd(cursor.inside === "comment" ? commentEnd : templateEnd, cursor);
  if (end === 0) return false;
  cursor.at = end;
  cursor.inside = null;
  return true;
}

/**
 * Up to and over the next quote or slash; false where the rest of the line says no more.
 * @param {Cursor} cursor
 */
function passCode(cursor) {
  const { line } = cursor;
  while (cursor.at < line.length && !"\"'`/".includes(line.charAt(cursor.at))) cursor.at += 1;
  const mark = line.charAt(cursor.at);
  if (mark === "'" || mark === '"') {
    const end = findEnd(quotedText[mark], cursor);
    cursor.at = end;
    return end > 0;
  }
  if (mark === "`") {
    cursor.inside = "template";
    cursor.at += 1;
    return true;
  }
  return mark === "/" && passSlash(cursor);
}

/**
 * A line comment ends the line, a regular expression may hold quotes, a division is one letter.
 * @param {Cursor} cursor
 */
function passSlash(cursor) {
  const next = cursor.line.charAt(cursor.at + 1);
  if (next === "/") return false;
  if (next === "*") {
    cursor.inside = "comment";
    cursor.at += 2;
    return true;
  }
  const is_regexp = cursor.may_hold_regexp && mayBeginRegexp(cursor);
  const end = is_regexp ? findEnd(regexpText, cursor) : 0;
  // Looking again at every later slash would cost the square of the line.
  if (is_regexp && end === 0) cursor.may_hold_regexp = false;
  cursor.at = end > 0 ? end : cursor.at + 1;
  return true;
}

/**
 * After a value a slash divides.
 * @param {Cursor} cursor
 */
function mayBeginRegexp({ line, at }) {
  const before = line.slice(Math.max(0, at - 12), at).trimEnd();
  return before === "" || /(?:[(,=:[!&|?{};>]|\breturn)$/.test(before);
}

/**
 * Where the text that begins at the cursor ends; 0 when it does not.
 * @param {RegExp} pattern
 * @param {Cursor} cursor
 */
function findEnd(pattern, { line, at }) {
  pattern.lastIndex = at;
  return pattern.exec(line) === null ? 0 : pattern.lastIndex;
}
