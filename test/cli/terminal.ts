// Types a command as a person would: the built program in a process of its own, in an environment
// that holds nothing of the host's but what the test names.

import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { runCommandLine } from "../../src/cli/program.js";

const program = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface Typed {
  environment?: Record<string, string>;
  input?: string;
  cwd?: string;
}

export interface Seen {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function start(argv: string[], typed: Typed = {}): ChildProcessWithoutNullStreams {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("RUNHOST_") && name !== "DATABASE_URL",
  );
  const env = { ...Object.fromEntries(inherited), ...typed.environment };
  return spawn(process.execPath, [program, ...argv], { env, cwd: typed.cwd });
}

export async function type(argv: string[], typed: Typed = {}): Promise<Seen> {
  const child = start(argv, typed);
  child.stdin.on("error", () => undefined);
  child.stdin.end(typed.input ?? "");
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout), text(child.stderr), once(child, "close"),
  ]);
  return { code, stdout, stderr };
}

/** The same line in this process, for what needs no process of its own; one at a time. */
export async function typeInside(
  argv: string[], environment: Record<string, string> = {},
): Promise<Seen> {
  const seen: Seen = { code: null, stdout: "", stderr: "" };
  const kept = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      seen[name] += String(text);
      return true;
    }));
  try {
    seen.code = await runCommandLine(argv, environment);
  } finally {
    for (const spy of kept) spy.mockRestore();
  }
  return seen;
}
