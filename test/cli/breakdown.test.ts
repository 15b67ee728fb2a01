// A defect that nobody catches: one fatal line with its cause, the embedded Postgres stopped, exit 1.
// A module that is loaded beside the host throws or rejects when it gets a signal.

import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { isAlive } from "../../src/embedded/process_identity.js";
import { start } from "./terminal.js";

async function serveWith(defect: string) {
  const folder = mkdtempSync(join(tmpdir(), "runhost-breakdown-"));
  const defective = join(folder, "defective.mjs");
  writeFileSync(defective, `process.on("SIGUSR2", () => { ${defect} });`);
  const child = start(["serve"], {
    environment: {
      RUNHOST_PORT: "0", RUNHOST_DATA_DIR: join(folder, "data"),
      NODE_OPTIONS: `--import ${pathToFileURL(defective).href}`,
    },
    cwd: folder,
  });
  const ended = once(child, "exit");
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const lines: any[] = [];
  let stderr = "";
  child.stderr.on("data", (bytes) => (stderr += bytes));
  await new Promise<void>((resolve, reject) => {
    void ended.then(() => reject(new Error(`no host: ${stderr}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(JSON.parse(line));
      if (lines.at(-1).msg === "ready") resolve();
    });
  });
  const pid_file = join(folder, "data", "postgres", "data", "postmaster.pid");
  const postgres_pid = Number(readFileSync(pid_file, "utf8").split("\n")[0]);
  const fatal = () => lines.filter(({ level }) => level === 60);
  return { child, ended, folder, fatal, postgres_pid, stderr: () => stderr };
}

test.each([
  ["an exception", 'throw new TypeError("a planted defect");', "uncaughtException"],
  ["a rejection", 'Promise.reject(new TypeError("a planted defect"));', "unhandledRejection"],
])("%s ends the process with one line", { timeout: 60_000 }, async (_title, defect, origin) => {
  const { child, ended, fatal, postgres_pid, stderr } = await serveWith(defect);
  expect(isAlive(postgres_pid)).toBe(true);
  child.kill("SIGUSR2");
  expect(await ended).toEqual([1, null]);
  expect(fatal()).toEqual([expect.objectContaining({
    msg: "the host breaks down", origin,
    err: expect.objectContaining({ type: "TypeError", message: "a planted defect" }),
  })]);
  expect(fatal()[0].err.where).toContain("defective.mjs");
  expect(stderr()).toBe("");
  expect(isAlive(postgres_pid)).toBe(false);
});

test("an embedded Postgres that does not come back ends it too", { timeout: 90_000 }, async () => {
  const { ended, folder, fatal, postgres_pid } = await serveWith("");
  const data = join(folder, "data", "postgres", "data");
  renameSync(data, `${data}.away`);
  process.kill(postgres_pid, "SIGKILL");
  expect(await ended).toEqual([1, null]);
  expect(fatal()).toEqual([expect.objectContaining({
    msg: "the host breaks down", origin: "the embedded database is lost",
    err: expect.objectContaining({ message: expect.stringContaining("did not come back") }),
  })]);
});
