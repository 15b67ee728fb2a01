// A caller that puts secrets everywhere, also where they do not belong, against a running host; and
// what it got to read. Each secret then must not be found in what the host wrote down.

import { once } from "node:events";
import type postgres from "postgres";
import { WebSocket } from "ws";
import { Client, RpcFailure, type Params } from "../support/client.js";
import { fresh } from "../support/host.js";

export interface Planted {
  /** By what they are. */
  secrets: Record<string, string>;
  /** Error answers and refused upgrades, as they came. */
  errors: string[];
}

export interface PlantingWorld {
  url: string;
  admin_token: string;
  sql: postgres.Sql;
}

const secretOf = (token: string): string => token.split("_").at(-1) ?? "";

/** One raw frame, and the answer to it. */
async function sendRaw(url: string, token: string, frame: string): Promise<string> {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  await once(socket, "open");
  socket.send(frame);
  const [answer] = await once(socket, "message");
  socket.close();
  return String(answer);
}

export async function plantSecrets(world: PlantingWorld): Promise<Planted> {
  const { url, admin_token, sql } = world;
  const errors: string[] = [];
  const fail = async (client: Client, method: string, params: Params): Promise<void> => {
    const answer = await client.ask(method, params);
    if (!answer.error) throw new Error(`${method} was to be refused`);
    errors.push(JSON.stringify(new RpcFailure(answer.error).error));
  };
  const admin = await Client.open(url, admin_token);
  const plugin_identity = `acme/${fresh("planted")}`;
  const { token } = await admin.call("plugin_register", {
    plugin_identity, permissions: ["agent_run:create"],
  });
  const client = await Client.open(url, token);
  const runner_id = `plugin:${plugin_identity}/main`;
  await client.call("runner_register", { runners: [{ id: runner_id }] });
  const runtime_id = fresh("planted");
  await client.call("runtime_register", { runtime_id });
  const { run_id } = await client.call("run_create", { runner_id });
  const item = await client.call("run_claim", { runtime_id });
  const { claim_token } = item;
  const claim = { target_run_id: run_id, runtime_id, claim_token };

  // Where they belong.
  const data = { chunk: { role: "assistant", content: "hi" } };
  const emit = { type: "message.delta", data, sequence: 1 };
  await client.call("run_emit_result", { ...claim, ...emit });
  await fail(client, "run_emit_result", { ...claim, ...emit, data: { other: 1 } });
  await client.call("run_renew_claim", claim);
  await fail(client, "run_renew_claim", { ...claim, claim_token: secretOf(token) });

  // Where they do not.
  for (const secret of [token, claim_token, admin_token]) {
    const inBand = await Client.open(url);
    await fail(inBand, "plugin_connect", { token: [secret] });
    await fail(inBand, "plugin_connect", { token: { token: secret } });
    await fail(inBand, "plugin_connect", { token: `${secret} ` });
    await inBand.close();
    await fail(client, "run_renew_claim", { ...claim, claim_epoch: secret });
    await fail(client, "run_create", { runner_id: secret });
    await fail(client, "run_create", { runner_id, metadata: secret, unknown: { claim_token: secret } });
    await fail(client, "run_create", { runner_id, caller_plugin_identity: secret });
    await fail(client, "runner_register", { runners: [{ id: secret }] });
    await fail(client, "run_get", { run_id: secret });
    errors.push(await sendRaw(url, token, `{"jsonrpc":"2.0","id":1,"params":{"token":"${secret}"`));
    errors.push(await sendRaw(url, token, `{"id":1,"method":"${secret}"}`));
    errors.push(await sendRaw(url, token, `{"jsonrpc":"2.0","id":1,"method":"m","params":"${secret}"}`));
    await Client.open(url, `${secret}0`).catch((refused: unknown) => errors.push(String(refused)));
  }
  // Of these the form tells, wherever they stand.
  for (const secret of [token, admin_token]) {
    await fail(client, secret, {});
    await fail(client, "run_create", { runner_id, [secret]: 1 });
    await fail(admin, "run_get", { run_id: secret });
    await fail(admin, "runtime_deregister", { runtime_id: secret });
    await sendRaw(url, token, JSON.stringify({ jsonrpc: "2.0", id: secret, method: "ping" }));
    const named = await Client.open(url);
    await named.call("plugin_connect", { token, client: { name: secret.slice(0, 100) } });
    await named.close();
  }
  // A defect of the host, and a database that goes away.
  await sql`alter function run_renew_batch(text, jsonb, jsonb) rename to run_renew_away`;
  await fail(client, "run_renew_claim", claim);
  await sql`alter function run_renew_away(text, jsonb, jsonb) rename to run_renew_batch`;
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'runhost' and datname = current_database()`;
  await client.ask("run_renew_claim", claim);

  // Until no statement meets a connection that was ended.
  const rotate = () => admin.ask("plugin_rotate_token", { plugin_identity });
  let rotating = await rotate();
  while (rotating.error?.data.code === "UNAVAILABLE") rotating = await rotate();
  const rotated = rotating.result as { token: string };
  await client.closed;
  await admin.close();
  const secrets = {
    "plugin token": secretOf(token), "rotated token": secretOf(rotated.token),
    "claim token": claim_token, "admin token": secretOf(admin_token),
  };
  return { secrets, errors };
}

/** Which secrets stand in which text, and where: nothing, when all is well. */
export function findSecrets(secrets: Planted["secrets"], texts: Record<string, string>): string[] {
  return Object.entries(texts).flatMap(([where, text]) =>
    Object.entries(secrets).flatMap(([what, secret]) => {
      // What is cut is still a part of it.
      const at = text.indexOf(secret.slice(0, 20));
      return at < 0 ? [] : [`${what} in ${where}: ${text.slice(Math.max(0, at - 160), at + 60)}`];
    }),
  );
}
