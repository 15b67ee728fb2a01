// HTML from templates: whatever is put into one is escaped, unless it is markup already. Nothing
// else in this folder may join text into HTML.

export class Markup {
  constructor(readonly text: string) {}
}

export type Piece = Markup | string | number | null | undefined | false | readonly Piece[];

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;",
};

export const escapeText = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => entities[character] ?? character);

export function html(texts: TemplateStringsArray, ...pieces: Piece[]): Markup {
  return new Markup(
    texts.map((text, at) => text + (at < pieces.length ? writePiece(pieces[at]) : "")).join(""),
  );
}

/** The pieces with `between` between each two. */
export function join(pieces: readonly Piece[], between: Piece): Markup {
  return new Markup(pieces.map(writePiece).join(writePiece(between)));
}

function writePiece(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return "";
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === "string" || typeof piece === "number") return escapeText(String(piece));
  return piece.map(writePiece).join("");
}

const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/** JSON in lines of about `width` characters, its parts marked for colour. */
export function writeJson(value: unknown, width = 68): Markup {
  const text = layOut(value, "", width);
  let written = "";
  let from = 0;
  for (const { 0: part, 1: quoted, 2: colon, index } of text.matchAll(token)) {
    const kind = quoted === undefined ? "n" : colon === undefined ? "s" : "k";
    const shown = escapeText(quoted ?? part);
    written += `${escapeText(text.slice(from, index))}<i class=${kind}>${shown}</i>${colon ?? ""}`;
    from = index + part.length;
  }
  return new Markup(written + escapeText(text.slice(from)));
}

function layOut(value: unknown, indent: string, width: number): string {
  const flat = flatten(value);
  if (typeof value !== "object" || value === null) return flat;
  if (indent.length + flat.length <= width) return flat;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const lines = value.map((member) => inner + layOut(member, inner, width));
    return `[\n${lines.join(",\n")}\n${indent}]`;
  }
  const lines = Object.entries(value).map(
    ([name, member]) => `${inner}${JSON.stringify(name)}: ${layOut(member, inner, width)}`,
  );
  return `{\n${lines.join(",\n")}\n${indent}}`;
}

function flatten(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(flatten).join(", ")}]`;
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}: ${flatten(member)}`,
  );
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}
