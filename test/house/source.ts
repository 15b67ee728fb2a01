// Reads the source tree for the house tests: files, their imports, their lines.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface SourceFile {
  /** Path from the repository's root, with slashes. */
  path: string;
  text: string;
  lines: string[];
}

export function readTree(folder: string, ending: RegExp): SourceFile[] {
  const from = join(root, folder);
  return readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => {
      const text = readFileSync(file, "utf8");
      return { path: relative(root, file).replaceAll("\\", "/"), text, lines: text.split("\n") };
    });
}

export interface Import {
  /** A path of this repository (src/…) or the name of a package. */
  target: string;
  line: number;
  types_only: boolean;
}

const importPattern = /^\s*(?:import|export)\b[^;"']*?from\s+["']([^"']+)["']|^import\s+["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gms;

export function readImports(file: SourceFile): Import[] {
  return [...file.text.matchAll(importPattern)].map((match) => {
    const named = match[1] ?? match[2] ?? match[3] ?? "";
    const line = file.text.slice(0, match.index).split("\n").length;
    const types_only = /^\s*(import|export) type\b/.test(match[0]);
    if (!named.startsWith(".")) return { target: named, line, types_only };
    const path = relative(root, resolve(root, dirname(file.path), named));
    const target = path.replaceAll("\\", "/").replace(/\.js$/, ".ts");
    return { target, line, types_only };
  });
}
