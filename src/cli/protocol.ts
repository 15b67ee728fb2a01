// `runhost protocol`: writes the machine-readable half of protocol/ from the declarations in the
// code, or names the files that differ from them. For those who change this repository.

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { registerAll } from "../actions/index.js";
import { describeErrors, describeOpenrpc, describeSchemas } from "../dispatch/describe.js";
import { createHost } from "../dispatch/host.js";
import { describeTypes } from "../dispatch/typescript.js";
import { Failure, printResult, UsageError, type Invocation } from "./output.js";
import { readPackageVersion } from "./package_facts.js";
import { readFixtureShelf } from "./reference/fixtures.js";
import { writeReference } from "./reference/page.js";

export interface ProtocolOptions {
  write?: boolean;
  check?: boolean;
  /** Default: protocol/ of this package. */
  directory?: string;
}

const schemaFolder = "schemas";
const ownProtocol = fileURLToPath(new URL("../../protocol", import.meta.url));

export async function syncProtocol(
  invocation: Invocation,
  { write, check, directory }: ProtocolOptions,
): Promise<void> {
  if (write === check) throw new UsageError("protocol: name one of --write and --check");
  const folder = directory ?? ownProtocol;
  const wanted = describeProtocol();
  const differing = await compareFiles(folder, wanted);
  const files = differing.map(({ file }) => file);
  if (write) {
    await mkdir(join(folder, schemaFolder), { recursive: true });
    for (const file of files) await replaceFile(join(folder, file), wanted.get(file));
  }
  const lines = differing.map(({ file, how }) => `${file}: ${how}`);
  if (check && files.length > 0) {
    if (!invocation.options.json) printResult(invocation, files, lines);
    const message = `${files.length} files differ from the code; --write brings them up to it`;
    throw new Failure(message, { files });
  }
  const summary = write
    ? `Wrote ${files.length} of ${wanted.size} files.`
    : `All ${wanted.size} files are as the code says.`;
  printResult(invocation, { files }, summary);
}

/** Text of each file by its path in the folder. */
function describeProtocol(): Map<string, string> {
  const host = createHost();
  registerAll(host);
  const actions = host.seal();
  const schemas = Object.entries(describeSchemas(actions));
  const openrpc = describeOpenrpc(actions, readPackageVersion());
  const contents: [string, unknown][] = [
    ["openrpc.json", openrpc],
    ["errors.json", describeErrors()],
    ...schemas.map(([name, schema]): [string, unknown] => [`${schemaFolder}/${name}.json`, schema]),
  ];
  // The fixtures are written by hand and stand in this package only, wherever the rest is written.
  const reference = writeReference(openrpc, readFixtureShelf(ownProtocol));
  const texts = contents.map(([file, content]): [string, string] =>
    [file, `${JSON.stringify(content, null, 2)}
`]);
  return new Map([
    ...texts, ["methods.d.ts", describeTypes(openrpc)], ["reference.html", reference],
  ]);
}

/** What --write would change; a schema that no action has any more is among it. */
async function compareFiles(
  folder: string,
  wanted: ReadonlyMap<string, string>,
): Promise<{ file: string; how: string }[]> {
  const judged = [...wanted].map(async ([file, text]) => {
    const present = await orNull(readFile(join(folder, file), "utf8"));
    if (present === text) return null;
    return { file, how: present === null ? "is missing" : "differs" };
  });
  const listed = (await orNull(readdir(join(folder, schemaFolder)))) ?? [];
  const left = listed
    .map((name) => `${schemaFolder}/${name}`)
    .filter((file) => file.endsWith(".json") && !wanted.has(file))
    .map((file) => ({ file, how: "is nobody's any more" }));
  return [...(await Promise.all(judged)).filter((one) => one !== null), ...left];
}

async function replaceFile(path: string, text: string | undefined): Promise<void> {
  if (text === undefined) await rm(path);
  else await writeFile(path, text);
}

async function orNull<T>(read: Promise<T>): Promise<T | null> {
  return read.catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return null;
    throw cause;
  });
}
