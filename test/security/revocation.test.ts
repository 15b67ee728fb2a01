// S6: an identity that is rotated or disabled on one host of three. On each of them its connections close
// within 5 s, its subscriptions end, and nobody may speak for it any more.

import { afterAll, beforeAll, expect, test } from "vitest";
import { Client } from "../support/client.js";
import { useClone } from "../support/clone.js";
import { fresh } from "../support/host.js";
import { admin_token, isFull, startHostProcess, type HostProcess } from "./fleet.js";

const clone = useClone();
/** The promise, and what a machine that runs other tests beside may add. */
const revoked_ms_max = isFull ? 5000 : 8000;
const connections = 3;

let hosts: HostProcess[] = [];
beforeAll(async () => {
  const { url } = clone();
  hosts = await Promise.all([1, 2, 3].map(() => startHostProcess(url)));
}, 90_000);
afterAll(() => Promise.all(hosts.map((host) => host.stop())));

const onEach = (token: string): Promise<Client[]> =>
  Promise.all(hosts.flatMap(({ url }) =>
    Array.from({ length: connections }, () => Client.open(url, token))));

/** The slowest of the closes, all with 4401. */
async function closeOf(clients: Client[], began_ms: number): Promise<number> {
  const closings = await Promise.all(clients.map(({ closed }) => closed));
  expect(closings.map(({ code }) => code)).toEqual(clients.map(() => 4401));
  return performance.now() - began_ms;
}

const refusedOnEach = async (token: string): Promise<string[]> =>
  Promise.all(hosts.map(({ url }) =>
    Client.open(url, token).then(() => "let in", (thrown: Error) => thrown.message)));

test("rotated, then disabled", { timeout: 120_000 }, async () => {
  const admins = await Promise.all(hosts.map(({ url }) => Client.open(url, admin_token)));
  const admin = admins[0]!;
  const plugin_identity = `acme/${fresh("revoked")}`;
  const create = ["agent_run:create"];
  const { token } = await admin.call("plugin_register", { plugin_identity, permissions: create });
  const delegate = await admin.call("plugin_register", {
    plugin_identity: `acme/${fresh("delegate")}`, permissions: ["plugin:delegate", ...create],
  });
  const bystander = await admin.call("plugin_register", {
    plugin_identity: `acme/${fresh("bystander")}`, permissions: create,
  });
  const bystanders = await onEach(bystander.token);

  const first = await onEach(token);
  let began_ms = performance.now();
  const rotated = await admin.call("plugin_rotate_token", { plugin_identity });
  const rotated_ms = await closeOf(first, began_ms);
  expect(await refusedOnEach(token)).toEqual(hosts.map(() => "refused with 401"));

  // With the new token it follows a run, and a delegate follows it in its name.
  const second = await onEach(rotated.token);
  const runner_id = `plugin:${plugin_identity}/main`;
  await second[0]!.call("runner_register", { runners: [{ id: runner_id }] });
  const { run_id } = await second[0]!.call("run_create", { runner_id });
  for (const client of second) await client.call("run_subscribe", { target_run_id: run_id });
  const delegates = await onEach(delegate.token);
  const named = { caller_plugin_identity: plugin_identity };
  for (const client of delegates) {
    await client.call("run_subscribe", { ...named, target_run_id: run_id });
  }
  const append = (sequence: number) => admin.call("run_append_result", {
    target_run_id: run_id, force: true, sequence, type: "tool.call.started",
    data: { tool_call_id: `call-${sequence}`, tool_name: "look" },
  });
  await append(1);
  await Promise.all([...second, ...delegates].map((client) =>
    client.notified(({ method }) => method === "run_event")));

  began_ms = performance.now();
  await admin.call("plugin_set_enabled", { plugin_identity, enabled: false });
  const [disabled_ms] = await Promise.all([
    closeOf(second, began_ms),
    ...delegates.map((client) =>
      client.notified(({ method, params }) =>
        method === "subscription_dropped" && params["reason"] === "not_authorized")),
  ]);
  const dropped_ms = performance.now() - began_ms;
  const spoken = await Promise.all(delegates.map((client) =>
    client.refusal("run_get", { ...named, target_run_id: run_id })));
  expect(spoken.map(({ code, reason }) => `${code} ${reason}`))
    .toEqual(delegates.map(() => "FORBIDDEN identity_mismatch"));
  expect(await refusedOnEach(rotated.token)).toEqual(hosts.map(() => "refused with 401"));

  // What happens from now on reaches nobody of them.
  await append(2);
  await admin.call("run_get", { target_run_id: run_id });
  await Promise.all(delegates.map((client) => client.call("ping")));
  const heard = [...second, ...delegates].flatMap(({ notifications }) => notifications)
    .filter(({ params }) => (params["event"] as { sequence?: number } | undefined)?.sequence === 2);
  expect(heard).toEqual([]);

  // A delegate that loses its own standing goes as well; nobody else does.
  began_ms = performance.now();
  await admin.call("plugin_set_enabled", { plugin_identity: delegate.plugin_identity, enabled: false });
  const delegate_ms = await closeOf(delegates, began_ms);
  await Promise.all(bystanders.map((client) => client.call("ping")));

  const took = { rotated_ms, disabled_ms, dropped_ms, delegate_ms };
  console.log(JSON.stringify({ hosts: hosts.length, sockets: first.length, ...took }));
  expect(Object.entries(took).filter(([, ms]) => ms! > revoked_ms_max)).toEqual([]);
  await Promise.all([...admins, ...bystanders].map((client) => client.close()));
  expect(hosts.flatMap(({ complaints }) => complaints)).toEqual([]);
});
