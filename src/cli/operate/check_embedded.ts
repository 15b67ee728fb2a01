// Checks of the embedded Postgres: is its program installed, are there data, does a server run.
// Starts and repairs nothing.

import type { Config } from "../../config.js";
import { findBinaries } from "../../embedded/binaries.js";
import { lookAtEmbedded, type EmbeddedSight } from "../../embedded/look.js";
import { checkDatabase } from "./check_database.js";
import { describeThrown, fail, ok, warn, type Finding } from "./finding.js";

const wayOut = "or set DATABASE_URL to use a Postgres of your own";

export async function checkEmbedded(config: Config): Promise<Finding[]> {
  const { version, finding } = checkProgram();
  const findings = [finding];
  try {
    const sight = await lookAtEmbedded(config.data_dir);
    findings.push(judgeSight(sight, version));
    if (sight.url !== null) findings.push(...(await checkDatabase(config, sight.url)));
  } catch (thrown) {
    findings.push(fail("embedded", describeThrown(thrown), `make it readable, ${wayOut}`));
  }
  return findings;
}

function checkProgram(): { version: string | null; finding: Finding } {
  try {
    const { version } = findBinaries(process);
    const found = `Postgres ${version} for ${process.platform}-${process.arch} is installed`;
    return { version, finding: ok("program", found) };
  } catch (thrown) {
    const advice = `install with optional packages, ${wayOut}`;
    return { version: null, finding: fail("program", describeThrown(thrown), advice) };
  }
}

function judgeSight(sight: EmbeddedSight, version: string | null): Finding {
  const { data, data_version, host_pid, server_pid, url } = sight;
  if (data_version === null) return ok("embedded", "no data yet: the first host makes them");
  const wanted = version?.split(".", 1)[0];
  if (wanted !== undefined && data_version !== wanted) {
    const found = `the data in ${data} are of Postgres ${data_version}`;
    return fail("embedded", found, `dump them with that version, ${wayOut}`);
  }
  if (server_pid === null) return ok("embedded", "does not run: a host starts it");
  const runs = `runs (pid ${server_pid})`;
  if (host_pid === null) {
    return warn("embedded", `${runs}, left by an ended host`, "the next host takes it over");
  }
  if (url === null) {
    const advice = "run this as the user that runs the host";
    return warn("embedded", `${runs}; its password cannot be read`, advice);
  }
  return ok("embedded", `${runs}, with the host of pid ${host_pid}`);
}
