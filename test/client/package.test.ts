// The package as npm would publish it: what is in it, what linters of packages say, how its types
// resolve, and what a bundler for browsers takes in with the client. Everything offline.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { publint } from "publint";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../house/source.js";

const run = promisify(execFile);

interface Packed {
  filename: string;
  size: number;
  files: { path: string }[];
}

let folder = "";
let packed: Packed;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runhost-pack-"));
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: root });
  packed = JSON.parse(stdout)[0];
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("holds what runs and what is read, and nothing of how it is made", () => {
  const tops = new Set(packed.files.map(({ path }) => path.split("/")[0]));
  expect([...tops].sort()).toEqual([
    "LICENSE", "README.md", "dist", "migrations", "package.json", "protocol",
  ]);
  const paths = packed.files.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining([
    "dist/client/client.js", "dist/client/client.d.ts", "dist/client/browser.js",
    "dist/cli/main.js", "protocol/methods.d.ts",
  ]));
  expect(paths.filter((path) => path.endsWith(".map"))).toEqual([]);
  expect(packed.size).toBeLessThan(1_000_000);
});

test("publint finds nothing", async () => {
  const bytes = await readFile(join(folder, packed.filename));
  const tarball = new Uint8Array(bytes).buffer;
  const { messages } = await publint({ pack: { tarball }, level: "suggestion" });
  expect(messages).toEqual([]);
});

test("its types resolve for every kind of importer of ES modules", async () => {
  const attw = join(root, "node_modules", "@arethetypeswrong", "cli", "dist", "index.js");
  const file = join(folder, packed.filename);
  const { stdout } = await run(process.execPath, [
    attw, file, "--profile", "esm-only", "--format", "json",
  ]);
  const { analysis } = JSON.parse(stdout);
  expect(Object.keys(analysis.entrypoints)).toEqual([".", "./client", "./worker", "./package.json"]);
  expect(analysis.types).toEqual({ kind: "included" });
  const ignored = ["node10", "node16-cjs"];
  const wrong = analysis.problems.filter((problem: { resolutionKind?: string }) =>
    !ignored.includes(problem.resolutionKind ?? ""));
  expect(wrong).toEqual([]);
});

async function bundle(platform: "browser" | "node") {
  const contents = 'export * from "runhost/client"';
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true, write: false, minify: true, metafile: true, format: "esm", platform,
  });
  const inputs = Object.keys(metafile.inputs).filter((path) => path !== "<stdin>");
  const imports = Object.values(metafile.outputs).flatMap((one) => one.imports.map(({ path }) => path));
  return { inputs, imports, text: outputFiles[0]!.text };
}

test("for browsers the client is a small bundle of its own files without Node", async () => {
  const { inputs, imports, text } = await bundle("browser");
  expect(imports).toEqual([]);
  expect(inputs.filter((path) => !/^dist\/(client|contract\/action_names)/.test(path))).toEqual([]);
  expect(inputs).toContain("dist/client/socket_browser.js");
  expect(inputs).not.toContain("dist/client/socket.js");
  expect(text).not.toMatch(/\b(process|Buffer|require|setImmediate)\b/);
  expect(text.length).toBeLessThan(20_000);
});

test("for Node it speaks through ws", async () => {
  const { inputs } = await bundle("node");
  expect(inputs).toContain("dist/client/socket.js");
  expect(inputs.some((path) => /\/node_modules\/ws\//.test(`/${path}`))).toBe(true);
  expect(inputs).not.toContain("dist/client/socket_browser.js");
});

test("both doors show the same names", async () => {
  const [node, browser] = await Promise.all(["client", "browser"].map(async (name) => {
    const text = await readFile(join(root, "dist", "client", `${name}.d.ts`), "utf8");
    return text.replace(/^(\/\/.*\n)+/, "");
  }));
  expect(browser).toBe(node);
});
