// The plugin without a client, as a user runs it: through a line that is listened to, that changes
// what it carries, and that is cut. It may only claim success when nothing differs.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Relay, type Frame } from "../strangers/relay.js";
import { fresh, useHost } from "../support/host.js";

const folder = new URL("../../examples/raw_plugin/", import.meta.url);
const file = fileURLToPath(new URL("plugin.js", folder));
const world = useHost();
let relay: Relay;
let token = "";

beforeEach(async () => {
  ({ token } = await world().admin.call("plugin_register", {
    plugin_identity: `acme/${fresh("raw")}`, permissions: ["agent_run:create"],
  }));
  relay = await Relay.start(world().test.host.url);
});
afterEach(() => relay.close());

async function runPlugin(environment: Record<string, string> = {}) {
  const { PATH = "" } = process.env;
  const env = { PATH, RUNHOST_URL: relay.url, RUNHOST_TOKEN: token, ...environment };
  const child = spawn(process.execPath, [file], { env });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
  const [code] = await once(child, "close");
  return { code: code as number, stdout, stderr };
}

test("says, hears and finds the same, and leaves nothing behind", async () => {
  const { code, stdout, stderr } = await runPlugin();
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(
    /^run_\S+ completed: EVERY WRITE MAY BE SENT AGAIN\n7 events said, heard live, and held/,
  );
  const [run_id = ""] = stdout.split(" ");
  const { items } = await world().admin.call("run_events_page", { target_run_id: run_id });
  expect(items.map(({ sequence, type }: any) => [sequence, type])).toEqual([
    ...[1, 2, 3, 4, 5, 6].map((sequence) => [sequence, "message.delta"]), [7, "run.completed"],
  ]);
  expect(relay.sent("run_emit_result")).toHaveLength(8);
  const [runtime] = await world().clone.sql`
    select deregistered_at is not null as gone from agent_runtime where runtime_id =
      ${relay.sent("runtime_register")[0].params.runtime_id}`;
  expect(runtime).toEqual({ gone: true });
});

describe("fails, and says why,", () => {
  /** Changes the text of the frames that fit, on their way. */
  const change = (from: Frame["from"], [before, after]: [RegExp, string], method = /./) =>
    relay.cutWhen((frame) => {
      if (frame.from === from && method.test(frame.text)) {
        frame.text = frame.text.replace(before, after);
      }
      return "pass";
    });
  const cases: [what: string, harm: () => void, words: string][] = [
    ["when it hears another word live",
      () => change("host", [/"WRITE"/, '"READ"'], /"run_event"/),
      "heard something else than was said"],
    ["when the ledger was given another word",
      () => change("client", [/"WRITE"/, '"READ"'], /run_emit_result/),
      "heard something else than was said"],
    ["when the ledger answers another word", () => change("host", [/"WRITE"/, '"READ"'], /"items"/),
      "the ledger holds something else"],
    ["when a repeat is not told from a further event",
      () => change("host", [/"idempotent":true/, '"idempotent":false']),
      "a repeat was taken for a further event"],
    ["when the run ends otherwise", () => change("client", [/run\.completed/, "run.failed"]),
      "RESULT_REJECTED"],
    ["when the line is cut",
      () => relay.cutWhen(({ text }) => (text.includes('"run_event"') ? "cut" : "pass")),
      "the host closed the connection with 1006"],
  ];
  test.each(cases)("%s", async (_what, harm, words) => {
    harm();
    const { code, stderr } = await runPlugin();
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(words) });
  });

  test("for a token that nobody has", async () => {
    const { url } = world().test.host;
    const { code, stderr } = await runPlugin({ RUNHOST_URL: url, RUNHOST_TOKEN: "rh_a_b" });
    expect({ code, stderr }).toEqual({
      code: 1, stderr: "raw_plugin: Unexpected server response: 401\n",
    });
  });
});

test("it imports nothing of runhost", async () => {
  for (const name of ["plugin.js", "json_rpc.js"]) {
    const imports = (await readFile(new URL(name, folder), "utf8")).matchAll(/ from "([^"]+)"/g);
    for (const [, target = ""] of imports) {
      expect(target).toMatch(/^(node:\w+|ws|\.\/json_rpc\.js)$/);
    }
  }
});
