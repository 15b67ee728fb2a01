// The browser's build in a real browser, where there is one: a page that was served by another origin
// connects, creates a run, follows it over a cut connection, and says what it saw.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { root } from "../house/source.js";
import { adminToken, claimOf, registerPlugin, startTestHost } from "../support/host.js";
import { useClone } from "../support/clone.js";
import { ends, startWire } from "./peer.js";

const clone = useClone();

async function findBrowser(): Promise<string | null> {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    const found = await new Promise((resolve) =>
      execFile(name, ["--version"], (failure) => resolve(failure === null)));
    if (found) return name;
  }
  return null;
}

/** What runs in the page; `report` posts to the server of the page. */
const program = `
  import { connect, HostError } from "runhost/client";
  const report = (said) => fetch("/report", { method: "POST", body: JSON.stringify(said) });
  const { url, token, runner_id } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  try {
    const refused = await connect({ url, token: "rh_no_no" }).catch(({ code }) => code);
    const nobody = await connect({ url: "ws://127.0.0.1:9/rpc", token }).catch(({ code }) => code);
    const malformed = await connect({ url: "ws://[nowhere", token }).catch(({ name }) => name);
    const host = await connect({ url, token, name: "page" });
    const states = [host.state];
    const back = new Promise((resolve) => host.onState((state) => {
      states.push(state);
      if (state === "open") resolve();
    }));
    const { run_id } = await host.runCreate({ runner_id });
    await report({ run_id });
    const sequences = [];
    const events = host.events(run_id);
    for await (const { sequence } of events) {
      sequences.push(sequence);
      if (sequence !== 2) continue;
      await report({ cut: true });
      await back;
    }
    const large = await host.runCreate({ text: "e".repeat(2e6) }).catch(({ reason }) => reason);
    await host.close();
    const closed = await host.closed;
    const late = await host.ping().catch((thrown) => thrown instanceof HostError && thrown.code);
    await report({
      refused, nobody, malformed, identity: host.identity, states, sequences,
      status: events.run.status, large, closed, late,
    });
  } catch (thrown) {
    await report({ failed: String(thrown) });
  }
`;

/** Serves the page, and hands each of its reports to `take`. */
async function servePage(take: (said: any) => Promise<void>): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: root },
    bundle: true, write: false, format: "esm", platform: "browser",
  });
  const server = createServer(async (request, response) => {
    if (request.method === "POST") await take(JSON.parse(await text(request)));
    response.setHeader("content-type", request.url === "/page.js" ? "text/javascript" : "text/html");
    response.end(request.url === "/page.js" ? outputFiles[0]!.text
      : '<!doctype html><script type="module" src="/page.js"></script>');
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a page of a listed origin works with the host as a program on Node does", async ({ skip }) => {
  const browser = await findBrowser();
  skip(browser === null, "there is no Chromium on this machine");
  let work = async (_run_id: string): Promise<void> => undefined;
  let cut = (): void => undefined;
  let finish: (said: any) => void = () => undefined;
  const finished = new Promise<any>((resolve) => (finish = resolve));
  const origin = await servePage(async (said) => {
    if (said.run_id) void work(said.run_id);
    else if (said.cut) cut();
    else finish(said);
  });
  const host = await startTestHost({
    database_url: clone().url, environment: { RUNHOST_ALLOWED_ORIGINS: origin },
  });
  ends.push(() => host.close());
  const { client, runner_id, runtime_id, identity } = await registerPlugin({
    clone: clone(), test: host, admin: await host.connect(),
  });
  work = async (target_run_id) => {
    const item = await client.call("run_claim", { runtime_id });
    for (const sequence of [1, 2, 3, 4, 5]) {
      const type = sequence === 5 ? "run.completed" : "message.delta";
      const data = sequence === 5 ? {} : { chunk: { role: "assistant", content: "a" } };
      await client.call("run_emit_result", {
        target_run_id, ...claimOf(item), sequence, type, data,
      });
    }
  };
  const wire = await startWire(host.host.url);
  cut = wire.cut;
  const profile = await mkdtemp(join(tmpdir(), "runhost-browser-"));
  const page = `${origin}/#${new URLSearchParams({ url: wire.url, token: adminToken, runner_id })}`;
  const child = spawn(browser!, [
    "--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`, page,
  ], { stdio: "ignore" });
  ends.push(async () => {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  expect(identity).toContain("acme/");
  expect(await finished).toEqual({
    refused: "UNAUTHENTICATED", nobody: "UNREACHABLE", malformed: "SyntaxError",
    identity: "runhost/admin", sequences: [1, 2, 3, 4, 5], status: "completed",
    states: ["open", "reconnecting", "open", "closed"], large: "message",
    closed: { code: 1000, reason: "" }, late: "CLOSED",
  });
}, 120_000);
