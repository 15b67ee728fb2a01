// Replays one fixture against a host, over real sockets and with nothing of src. The host needs no
// preparation but an admin token: every replay makes ids of its own, so a living host will do.

import { fill, readPath, type Variables } from "./fill.js";
import { readWorld, type Fixture, type Step, type World } from "./fixture_files.js";
import { Link, readUpgradeStatus, within, type Json } from "./link.js";
import { differences } from "./match.js";

export interface HostAddress {
  /** ws://…/rpc */
  url: string;
  admin_token: string;
}

export interface Exchange {
  method: string;
  params: Json;
  answer: { result?: Json; error?: Json };
}

/** What one replay knows: its variables, its sockets, and who wants to see the exchanges. */
interface Replay {
  host: HostAddress;
  variables: Variables;
  links: Map<string, Link>;
  observe: (exchange: Exchange) => void;
}

const step_seconds = 20;
let replays = 0;

export async function replayFixture(
  host: HostAddress,
  fixture: Fixture,
  observe: (exchange: Exchange) => void,
): Promise<void> {
  replays += 1;
  const suffix = `${Date.now().toString(36)}${process.pid.toString(36)}${replays.toString(36)}`;
  const variables: Variables = new Map([
    ["suffix", suffix], ["admin", "runhost/admin"], ["admin.token", host.admin_token],
  ]);
  const replay: Replay = { host, variables, links: new Map(), observe };
  try {
    await play(replay, "now", {
      send: { method: "ping" }, expect: { result: {} }, save: { now: "result.time" },
    }, "admin");
    await buildWorld(replay, readWorld(fixture.world), fixture.world);
    define(replay, fixture.let);
    for (const [at, step] of fixture.steps.entries()) {
      await play(replay, `step ${at + 1}`, step, fixture.as);
    }
    refuseStrays(replay);
  } finally {
    await Promise.all([...replay.links.values()].map((link) => link.close()));
  }
}

async function buildWorld(replay: Replay, world: World, name: string): Promise<void> {
  if (world.after) await buildWorld(replay, readWorld(world.after), world.after);
  for (const [who, described] of Object.entries(world.identities ?? {})) {
    const { identity, permissions, tenant_id } = described;
    const plugin_identity = identity ?? `fx-${replay.variables.get("suffix")}/${who}`;
    const tenant = fill({ tenant_id }, replay.variables);
    const params = { plugin_identity, permissions, ...tenant };
    const made = await ask(replay, "plugin_register", params);
    const { token } = made.token ? made : await ask(replay, "plugin_rotate_token", {
      plugin_identity, ...tenant,
    });
    replay.variables.set(who, plugin_identity).set(`${who}.token`, token);
  }
  define(replay, world.let);
  for (const [at, step] of (world.steps ?? []).entries()) {
    await play(replay, `world ${name} step ${at + 1}`, step, "admin");
  }
}

async function ask(replay: Replay, method: string, params: Json): Promise<Json> {
  const link = await linkOf(replay, { as: "admin" });
  const text = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const answer = await link.exchange(text, step_seconds);
  if (!answer.result) throw new Error(`${method}: ${JSON.stringify(answer)}`);
  return answer.result;
}

function define({ variables }: Replay, values: Record<string, Json> = {}): void {
  for (const [name, value] of Object.entries(values)) variables.set(name, fill(value, variables));
}

async function play(replay: Replay, label: string, step: Step, as: string): Promise<void> {
  try {
    const answer = await perform(replay, { as, ...step });
    for (const [name, path] of Object.entries(step.save ?? {})) {
      replay.variables.set(name, readPath(answer, path));
    }
  } catch (cause) {
    throw new Error(`${label}: ${(cause as Error).message}`, { cause });
  }
}

async function perform(replay: Replay, step: Step & { as: string }): Promise<Json> {
  const expected = fill(step.expect ?? {}, replay.variables);
  if (step.upgrade) return performUpgrade(replay, step, expected);
  const link = await linkOf(replay, step);
  if (step.closed !== undefined) {
    const code = await within(step_seconds, "the connection was not closed", link.closed);
    return demand({ closed: code }, { closed: step.closed });
  }
  if (step.unheard) {
    const unwanted = fill(step.unheard, replay.variables);
    return link.refuseHeard((note) => differences(note, unwanted).length === 0);
  }
  if (step.notify) {
    const wanted = fill(step.notify, replay.variables);
    if (Array.isArray(wanted)) {
      const notes = await link.nextNotified(wanted.length, step_seconds);
      return demand(notes, wanted);
    }
    return link.notified((note) => differences(note, wanted).length === 0, step_seconds);
  }
  const text = writeFrame(replay, step);
  if (expected.silence) return link.send(text);
  const frame = await link.exchange(text, step_seconds);
  if ("frame" in expected) return demand({ frame }, expected);
  const { jsonrpc: _, id: __, ...answer } = frame;
  observe(replay, step, answer);
  return demand(answer, expected);
}

async function performUpgrade({ host, variables }: Replay, step: Step, expected: Json) {
  const { path, token } = fill(step.upgrade, variables);
  const url = new URL(host.url);
  if (path) url.pathname = path;
  const status = await within(
    step_seconds, "the upgrade was not answered", readUpgradeStatus(url.href, token ?? null),
  );
  return demand({ status }, expected);
}

function writeFrame({ variables }: Replay, { send }: Step): string {
  if (send === undefined) throw new Error("the step sends nothing");
  if ("raw" in send) return send.raw;
  if ("frame" in send) return JSON.stringify(fill(send.frame, variables));
  const { method, params, notification } = fill(send, variables);
  return JSON.stringify({ jsonrpc: "2.0", ...(notification ? {} : { id: 1 }), method, params });
}

function observe(replay: Replay, { send }: Step, answer: Json): void {
  if (!send || !("method" in send)) return;
  const { method, params = {} } = fill(send, replay.variables);
  replay.observe({ method, params, answer });
}

function demand(answer: Json, expected: Json): Json {
  const found = differences(answer, expected);
  if (found.length === 0) return answer;
  const got = JSON.stringify(answer);
  throw new Error(`${found.join("\n  ")}\n  got ${got.slice(0, 2000)}`);
}

/** One socket per identity, or per `on`; `nobody` proves no identity. */
async function linkOf(replay: Replay, { as, on }: { as: string; on?: string }): Promise<Link> {
  const key = on ?? as;
  const open = replay.links.get(key);
  if (open) return open;
  const plugin_token = as === "nobody" ? null : replay.variables.get(`${as}.token`);
  if (plugin_token === undefined) throw new Error(`the world has no identity ${as}`);
  const link = await Link.open(replay.host.url, plugin_token);
  replay.links.set(key, link);
  return link;
}

function refuseStrays({ links }: Replay): void {
  for (const [name, link] of links) {
    if (link.strays.length === 0) continue;
    throw new Error(`${name} got answers to nothing: ${JSON.stringify(link.strays)}`);
  }
}
