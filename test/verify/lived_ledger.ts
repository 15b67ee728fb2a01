// A ledger in which something of everything has happened, with the journal of those who made it, and
// copies of it in which a test may plant a breach.

import { appendFileSync } from "node:fs";
import postgres from "postgres";
import { inject } from "vitest";
import { Client, type Answer, type Params } from "../support/client.js";
import { claimOf, registerPlugin, type HostWorld, type Plugin } from "../support/host.js";

export interface Journal {
  lines: Record<string, any>[];
  call(client: Client, method: string, params: Params): Promise<Answer>;
}

export function keepJournal(): Journal {
  const lines: Record<string, any>[] = [];
  return {
    lines,
    async call(client, method, params) {
      const { claim_token: _, ...shown } = params;
      const sent_at_ms = Date.now();
      const { result, error } = await client.ask(method, params);
      const answered_at_ms = Date.now();
      const line = { tenant_id: "default", method, params: shown, sent_at_ms, answered_at_ms };
      lines.push(error ? { ...line, error: error.data } : { ...line, result });
      if (error) throw new Error(JSON.stringify(error));
      return result as Answer;
    },
  };
}

export interface Lived {
  journal: Journal;
  /** Completed by run_finalize with three events. */
  finalized: string;
  /** Completed by emit: a message, then run.completed; it took one message in. */
  talked: string;
  /** Ended with a message nobody pulled. */
  followed: string;
  /** Claimed twice; the second claim still holds. */
  held: string;
}

export async function liveOnce(world: HostWorld): Promise<Lived> {
  const plugin = await registerPlugin(world, { permissions: ["agent_run:admin", "agent_run:create"] });
  const journal = keepJournal();
  const finalized = await finalizeOne(plugin, journal);
  const talked = await talk(plugin, journal, { takes_in: true });
  const followed = await talk(plugin, journal, { takes_in: false });
  await world.admin.call("runtime_reconcile", {});
  const held = await holdOne(plugin, journal);
  for (const run_id of [finalized, talked]) await readAll(plugin, journal, run_id);
  return { journal, finalized, talked, followed, held };
}

async function claimNew(plugin: Plugin, journal: Journal, params: Params): Promise<Answer> {
  const { client, runner_id, runtime_id } = plugin;
  await journal.call(client, "run_create", { runner_id, priority: 9, ...params });
  return journal.call(client, "run_claim", { runtime_id });
}

async function finalizeOne(plugin: Plugin, journal: Journal): Promise<string> {
  const item = await claimNew(plugin, journal, {});
  const target = { target_run_id: item.run_id, ...claimOf(item) };
  for (const sequence of [1, 2, 4]) {
    const data = { tool_call_id: `t${sequence}`, tool_name: "search", parameters: { n: 1.0, s: "é" } };
    await journal.call(plugin.client, "run_append_result",
      { ...target, sequence, type: "tool.call.started", data, ...(sequence === 2 ? { metadata: {} } : {}) });
  }
  await journal.call(plugin.client, "run_finalize", { ...target, status: "completed" });
  return item.run_id;
}

async function talk(
  plugin: Plugin,
  journal: Journal,
  { takes_in }: { takes_in: boolean },
): Promise<string> {
  const { client } = plugin;
  const conversation_id = `talk-${takes_in}`;
  const item = await claimNew(plugin, journal, { conversation_id });
  const { run_id } = item;
  const published = await journal.call(client, "event_publish",
    { conversation_id, text: "one more thing" });
  if (published.disposition !== "absorbed") throw new Error("the message was not absorbed");
  if (takes_in) {
    const { items } = await journal.call(client, "steering_pull", { run_id });
    const steering_ids = items.map(({ steering_id }: { steering_id: string }) => steering_id);
    await journal.call(client, "steering_ack", { run_id, steering_ids });
  }
  const target = { target_run_id: run_id, ...claimOf(item) };
  const message = { role: "assistant", content: "hello" };
  await journal.call(client, "run_emit_result",
    { ...target, sequence: 1, type: "message.completed", data: { message } });
  await journal.call(client, "run_emit_result",
    { ...target, sequence: 2, type: "run.completed", data: {} });
  return run_id;
}

async function holdOne(plugin: Plugin, journal: Journal): Promise<string> {
  const { client, runtime_id } = plugin;
  const first = await claimNew(plugin, journal, {});
  const started = { type: "tool.call.started", data: { tool_call_id: "t", tool_name: "search" } };
  const write = (item: Answer, sequence: number) => journal.call(client, "run_append_result",
    { target_run_id: item.run_id, ...claimOf(item), sequence, ...started });
  await write(first, 1);
  await journal.call(client, "run_release_claim", { target_run_id: first.run_id, ...claimOf(first) });
  const second = await journal.call(client, "run_claim", { runtime_id });
  await write(second, 2);
  return first.run_id;
}

async function readAll(plugin: Plugin, journal: Journal, run_id: string): Promise<void> {
  const reader = "reader";
  const { items } = await plugin.client.call("run_events_page", { target_run_id: run_id });
  journal.lines.push({ reader, run_id, after: 0 });
  for (const { sequence } of items) journal.lines.push({ reader, run_id, sequence });
  journal.lines.push({ reader, run_id, ended: true });
}

export function writeJournal(file: string, lines: readonly object[]): string {
  appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return file;
}

let copies = 0;

/** Works on a copy of a database that nobody else is connected to. */
export async function withCopy<T>(
  url: string,
  work: (copy: { url: string; sql: postgres.Sql }) => Promise<T>,
): Promise<T> {
  copies += 1;
  const source = new URL(url).pathname.slice(1);
  const name = `${source}_copy_${copies}`;
  const server = postgres(inject("server_url"), { max: 1, onnotice: () => undefined });
  await server`create database ${server(name)} template ${server(source)}`;
  const address = Object.assign(new URL(url), { pathname: `/${name}` });
  const sql = postgres(address.href, { max: 1, onnotice: () => undefined });
  try {
    return await work({ url: address.href, sql });
  } finally {
    await sql.end({ timeout: 5 });
    await server`drop database if exists ${server(name)} with (force)`;
    await server.end();
  }
}
