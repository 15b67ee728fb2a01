// Host processes on the database of one test file, as an operator would start them, and what they wrote.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { start } from "../cli/terminal.js";

/** `npm run security` plays the full figures, `npm test` small ones. */
export const isFull = process.env["SECURITY_ALL"] === "1";

export const admin_token = "security-admin-token";

export interface HostProcess {
  url: string;
  http_url: string;
  port: number;
  pid: number;
  /** Lines of level error and above, and all of stderr. */
  complaints: string[];
  isAlive(): boolean;
  stop(): Promise<void>;
}

export async function startHostProcess(
  database_url: string, environment: Record<string, string> = {},
): Promise<HostProcess> {
  const data_dir = mkdtempSync(join(tmpdir(), "runhost-security-"));
  const child = start(["serve"], {
    environment: {
      DATABASE_URL: database_url, RUNHOST_DATA_DIR: data_dir, RUNHOST_PORT: "0",
      RUNHOST_ADMIN_TOKEN: admin_token, ...environment,
    },
    cwd: data_dir,
  });
  const ended = once(child, "exit");
  const complaints: string[] = [];
  child.stderr.on("data", (bytes) => complaints.push(String(bytes)));
  const url = await new Promise<string>((resolve, reject) => {
    void ended.then(() => reject(new Error(`no host: ${complaints.join("")}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (/"level":(50|60)/.test(line)) complaints.push(line);
      if (line.includes('"msg":"ready"')) resolve(JSON.parse(line).url);
    });
  });
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  return {
    url, complaints, isAlive,
    http_url: url.replace(/^ws(.*)\/rpc$/, "http$1"),
    port: Number(new URL(url).port),
    pid: child.pid!,
    async stop() {
      if (isAlive()) child.kill("SIGTERM");
      await ended;
      rmSync(data_dir, { recursive: true, force: true });
    },
  };
}

export const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
