// Finds the documents of a folder: Markdown and source files, by path, up to a bound. Symbolic
// links and folders that Git ignores are passed over. What is left out for its size, its number or
// because it cannot be read is counted. Used by demo.js.

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isMarkdown, readEnding } from "./report.js";
import { source_endings } from "./scan/declarations.js";

/**
 * @typedef {{ path: string, bytes: number }} Document
 *
 * @typedef {object} Found
 * @property {Document[]} documents
 * @property {number} over_bound
 * @property {number} too_large
 * @property {number} unreadable Files and folders.
 */

export const documents_max = 400;
const document_bytes_max = 1_048_576;
const always_skipped = ["node_modules", "dist", ".git", ".runhost"];

/**
 * @param {string} folder
 * @returns {Promise<Found>}
 */
export async function findDocuments(folder) {
  const skipped = new Set([...always_skipped, ...(await listIgnoredFolders(folder))]);
  const { paths, unreadable } = await listPaths(folder, skipped);
  /** @type {Found} */
  const found = { documents: [], over_bound: 0, too_large: 0, unreadable };
  for (const path of paths.sort(byPath)) {
    const facts = await stat(join(folder, path)).catch(() => null);
    if (facts === null) found.unreadable += 1;
    else if (facts.size > document_bytes_max) found.too_large += 1;
    else found.documents.push({ path, bytes: facts.size });
  }
  const chosen = chooseSome(found.documents);
  return { ...found, documents: chosen, over_bound: found.documents.length - chosen.length };
}

/**
 * Markdown first, then source files from all over the folder.
 * @param {Document[]} documents
 */
function chooseSome(documents) {
  if (documents.length <= documents_max) return documents;
  const markdown = documents.filter(({ path }) => isMarkdown(readEnding(path)));
  const others = documents.filter(({ path }) => !isMarkdown(readEnding(path)));
  const first = markdown.slice(0, documents_max);
  const room = documents_max - first.length;
  /** @param {number} index */
  const share = (index) => Math.floor((index * room) / others.length);
  return [...first, ...others.filter((_, index) => share(index + 1) > share(index))];
}

/**
 * @param {string} folder
 * @param {ReadonlySet<string>} skipped
 */
async function listPaths(folder, skipped) {
  /** @type {string[]} */
  const paths = [];
  let unreadable = 0;
  const waiting = [""];
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(() => null);
    if (entries === null) unreadable += 1;
    for (const entry of entries ?? []) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory() && !skipped.has(entry.name) && !skipped.has(path)) waiting.push(path);
      if (entry.isFile() && isDocument(entry.name)) paths.push(path);
    }
  }
  return { paths, unreadable };
}

/** @param {string} name */
function isDocument(name) {
  const ending = readEnding(name);
  return isMarkdown(ending) || source_endings.includes(ending);
}

/**
 * Plain folder names of the folder's own .gitignore; patterns are left to Git.
 * @param {string} folder
 */
async function listIgnoredFolders(folder) {
  const text = await readFile(join(folder, ".gitignore"), "utf8").catch(() => "");
  return text
    .split(/\r?\n/)
    .filter((line) => /^\/?[\w.@-]+(?:\/[\w.@-]+)*\/$/.test(line))
    .map((line) => line.replace(/^\/|\/$/g, ""));
}

/**
 * The same order on every machine.
 * @param {string} a
 * @param {string} b
 */
const byPath = (a, b) => (a < b ? -1 : 1);
