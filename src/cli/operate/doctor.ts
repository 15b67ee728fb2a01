// `runhost doctor`: what a host would find here, each with a word on what to do. It changes
// nothing: it makes no directory, migrates nothing and starts no database. Exit code 1 when
// something fails.

import { ConfigError, readConfig, type Config } from "../../config.js";
import { drawTable, Failure, printResult, type Invocation } from "../output.js";
import { readPackageVersion } from "../package_facts.js";
import { checkDatabase } from "./check_database.js";
import { checkEmbedded } from "./check_embedded.js";
import { checkFiles } from "./check_files.js";
import { checkPort } from "./check_port.js";
import { fail, ok, type Finding } from "./finding.js";
import { describeSettings, type Settings } from "./settings.js";

export async function examine(invocation: Invocation): Promise<void> {
  const { settings, checks } = await runChecks(invocation.environment);
  const failed = checks.filter(({ status }) => status === "fail");
  const result = { ok: failed.length === 0, settings, checks };
  if (failed.length === 0) return printResult(invocation, result, draw(settings, checks));
  if (!invocation.options.json) printResult(invocation, result, draw(settings, checks));
  const names = failed.map(({ check }) => check).join(", ");
  throw new Failure(`failed: ${names}`, { settings, checks });
}

async function runChecks(
  environment: NodeJS.ProcessEnv,
): Promise<{ settings: Settings; checks: Finding[] }> {
  const program = checkNode();
  let config: Config;
  try {
    config = readConfig(environment);
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    const advice = "correct it: no host starts with it, and nothing else was looked at";
    return { settings: {}, checks: [program, fail("configuration", thrown.message, advice)] };
  }
  const { database_url } = config;
  const source = environment["RUNHOST_CONFIG"];
  const read = source === undefined ? "the environment" : `the environment and ${source}`;
  const checks = [
    program,
    ok("configuration", `read from ${read}`),
    ...checkFiles(config),
    ...(database_url === null
      ? await checkEmbedded(config)
      : await checkDatabase(config, database_url)),
    await checkPort(config),
  ];
  return { settings: describeSettings(config), checks };
}

function checkNode(): Finding {
  const found = `runhost ${readPackageVersion()} on Node ${process.versions.node}`;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return ok("runhost", found);
  return fail("runhost", found, "install Node 20.19 or newer");
}

const marks = { ok: "ok", warn: "warn", fail: "FAIL" } as const;

function draw(settings: Settings, checks: readonly Finding[]): string[] {
  const set = Object.entries(settings).map(([name, value]) => [name, String(value ?? "(not set)")]);
  const lines = checks.map(({ check, status, found, advice }) =>
    [marks[status], check, advice === undefined ? found : `${found}: ${advice}`]);
  return [...drawTable(set), ...(set.length === 0 ? [] : [""]), ...drawTable(lines)];
}
