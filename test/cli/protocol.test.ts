// `runhost protocol` on a folder of its own: what it writes, what it finds, what it leaves alone.

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type } from "./terminal.js";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "runhost-protocol-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (...argv: string[]) => type(["protocol", "--directory", folder, ...argv]);

test("what was written is found to be right", async () => {
  const written = await run("--write");
  expect(written).toMatchObject({ code: 0, stderr: "" });
  expect(written.stdout).toMatch(/^Wrote (\d+) of \1 files\.\n$/);
  const openrpc = await readFile(join(folder, "openrpc.json"), "utf8");
  expect(openrpc).toMatch(/^\{\n {2}"openrpc": "1\.3\.2",\n[^]*\n\}\n$/);
  const errors = JSON.parse(await readFile(join(folder, "errors.json"), "utf8"));
  expect(errors["LEASE_LOST"]).toMatchObject({ code: -32005, retryable: false });
  expect(await readdir(join(folder, "schemas"))).toEqual(
    expect.arrayContaining(["Run.json", "run_claim.params.json", "rpc.discover.result.json"]),
  );
  const checked = await run("--check");
  expect(checked).toMatchObject({ code: 0, stderr: "" });
  expect(checked.stdout).toMatch(/^All \d+ files are as the code says\.\n$/);
  expect((await run("--write")).stdout).toMatch(/^Wrote 0 of \d+ files\.\n$/);
});

test("check names what differs, what is missing and what is left over", async () => {
  await run("--write");
  await writeFile(join(folder, "errors.json"), "{}\n");
  await rm(join(folder, "schemas/Run.json"));
  await writeFile(join(folder, "schemas/run_forgotten.params.json"), "{}\n");
  await writeFile(join(folder, "README.md"), "By hand.\n");
  const seen = await run("--check");
  const message = "3 files differ from the code; --write brings them up to it";
  expect(seen).toEqual({
    code: 1,
    stderr: `runhost: ${message}\n`,
    stdout: "errors.json: differs\nschemas/Run.json: is missing\n" +
      "schemas/run_forgotten.params.json: is nobody's any more\n",
  });
  const files = ["errors.json", "schemas/Run.json", "schemas/run_forgotten.params.json"];
  const json = await run("--check", "--json");
  expect(JSON.parse(json.stdout)).toEqual({
    code: 0, message, data: { code: "FAILED", retryable: false, files },
  });
  expect(JSON.parse((await run("--write", "--json")).stdout)).toEqual({ files });
  expect((await run("--check")).code).toBe(0);
  expect(await readFile(join(folder, "README.md"), "utf8")).toBe("By hand.\n");
});

test.each([[[]], [["--write", "--check"]]])("%j names not exactly one of the two", async (argv) => {
  expect(await run(...argv)).toEqual({
    code: 2, stdout: "", stderr: "runhost: protocol: name one of --write and --check\n",
  });
  expect(await readdir(folder)).toEqual([]);
});
