// What is for terminals only: colour, progress; and the completion scripts, one of them in a real
// shell.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { createPaint, paintStatus } from "../../src/cli/terminal/paint.js";
import { createProgress } from "../../src/cli/terminal/progress.js";
import { typeInside, type Seen } from "./terminal.js";

const terminal = { isTTY: true };

describe("colour", () => {
  test("is for a terminal, and NO_COLOR turns it off", () => {
    expect(createPaint({}, terminal)("red", "x")).toBe("\u001b[31mx\u001b[0m");
    expect(createPaint({ NO_COLOR: "" }, terminal)("red", "x")).toBe("\u001b[31mx\u001b[0m");
    for (const environment of [{ NO_COLOR: "1" }, { NO_COLOR: "0" }, { TERM: "dumb" }]) {
      expect(createPaint(environment, terminal)("red", "x")).toBe("x");
    }
    expect(createPaint({}, { isTTY: false })("red", "x")).toBe("x");
    expect(createPaint({}, {})("red", "x")).toBe("x");
  });

  test("marks statuses and nothing else", () => {
    const paint = paintStatus(createPaint({}, terminal));
    expect(paint("failed")).toBe("\u001b[31mfailed\u001b[0m");
    for (const cell of ["failed again", "", "constructor", "queued"]) expect(paint(cell)).toBe(cell);
  });
});

test("progress is one line of a terminal, wiped when it is over", () => {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  const shown = createProgress({ isTTY: true, write });
  shown.show("100 read");
  shown.wipe();
  expect(written).toEqual(["\r\u001b[K100 read", "\r\u001b[K"]);
  const piped = createProgress({ write });
  piped.show("100 read");
  piped.wipe();
  expect(written).toHaveLength(2);
});

describe("completion", () => {
  /** What bash offers for the words typed so far; the last one may be a beginning. */
  async function complete(...typed: string[]): Promise<string[]> {
    const { stdout: script } = await typeInside(["completion", "bash"]);
    const words = ["runhost", ...typed].map((word) => `'${word}'`).join(" ");
    const { stdout } = await promisify(execFile)("bash", ["--norc", "-c", `${script}
      COMP_WORDS=(${words}); COMP_CWORD=${typed.length}; _runhost
      complete -p runhost >/dev/null && printf '%s\\n' "\${COMPREPLY[@]}"`]);
    return stdout.split("\n").filter((line) => line !== "");
  }

  test("bash completes commands, subcommands and options", async () => {
    expect(await complete("ru")).toEqual(["runs", "runtimes"]);
    expect(await complete("runs", "")).toEqual(expect.arrayContaining([
      "list", "get", "tail", "cancel", "retry", "explain", "--json",
    ]));
    expect(await complete("runs", "ex")).toEqual(["explain"]);
    expect(await complete("--json", "runs", "list", "--st")).toEqual(["--status"]);
    expect(await complete("runs", "tail", "run_1", "--a")).toEqual(["--after"]);
    expect(await complete("completion", "z")).toEqual(["zsh"]);
    expect(await complete("nonsense", "ru")).toEqual(["runs", "runtimes"]);
  });

  test("every shell gets every command", async () => {
    const helps: Seen[] = [];
    for (const shell of ["bash", "zsh", "fish"]) helps.push(await typeInside(["completion", shell]));
    for (const { code, stdout, stderr } of helps) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      for (const path of ["/runs/explain", "/plugin/rotate", "/stats/runners", "/audit"]) {
        expect(stdout).toContain(path);
      }
    }
    const [, zsh, fish] = helps.map(({ stdout }) => stdout);
    expect(zsh).toContain("#compdef runhost\n");
    expect(zsh).toContain("'explain:Say why a run is not moving.'");
    expect(fish).toContain(
      "complete -c runhost -n '__runhost_at \"/runs\"' -f -a explain -d 'Say why a run is not moving.'");
  });

  test("another shell is a wrong command line", async () => {
    const seen = await typeInside(["completion", "tcsh"]);
    expect(seen).toMatchObject({ code: 2, stdout: "" });
    expect(seen.stderr).toContain("Allowed choices are bash, zsh, fish.");
  });
});
