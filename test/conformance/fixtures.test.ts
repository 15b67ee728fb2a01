// Every fixture of protocol/fixtures, replayed over a real socket. A fixture that needs what this
// host was not started with is left out, and the reason is printed.

import { afterAll, beforeAll, describe, it } from "vitest";
import { listFixtures, type FixtureFile } from "./fixture_files.js";
import { openReplayHost, type ReplayHost } from "./replay_host.js";
import { replayFixture } from "./replay.js";
import { createSchemaCheck, type SchemaCheck } from "./schema_check.js";

const fixtures = listFixtures();
const folders = [...new Set(fixtures.map(({ folder }) => folder))];
let host: ReplayHost;
let schemas: SchemaCheck;
const leftOut: string[] = [];

beforeAll(async () => {
  schemas = createSchemaCheck();
  host = await openReplayHost();
});

afterAll(async () => {
  if (leftOut.length > 0) console.log(`left out:\n${leftOut.join("\n")}`);
  await host?.stop();
});

describe.each(folders)("%s", (folder) => {
  for (const file of fixtures.filter((one) => one.folder === folder)) {
    // Identities of the configuration file have fixed names, so their fixtures go one by one.
    const define = file.fixture.needs?.includes("config") ? it : it.concurrent;
    define(file.fixture.title, () => replay(file), 60_000);
  }
});

async function replay({ name, fixture }: FixtureFile): Promise<void> {
  const missing = (fixture.needs ?? []).filter((need) => !host.has.has(need));
  if (missing.length > 0) {
    leftOut.push(`${name} needs ${missing.join(", ")}`);
    return;
  }
  try {
    await replayFixture(host.address, fixture, (exchange) => schemas.check(exchange));
  } catch (cause) {
    throw new Error(`${name}: ${(cause as Error).message}`, { cause });
  }
}
