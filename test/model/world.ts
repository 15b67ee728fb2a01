// The host's side: a tenant of its own for each sequence; two plugins, an administrator and a plugin
// that may speak for the three, each with connections of its own; and what only time does.

import type postgres from "postgres";
import type { Answer, Client, Params, RpcErrorBody } from "../support/client.js";
import { fresh, type HostWorld } from "../support/host.js";
import { names, type Name } from "./reference/reference.js";

export const delegate = "acme/hub";
const open_socket = 1;
const connections_each = 2;

export interface Actor {
  identity: string;
  runner_id: string;
  runtime_id: string;
  token: string;
  /** Calls alternate between connections. */
  clients: Client[];
}

export interface Tenant {
  actors: Record<Name, Actor>;
  hub: Client;
  /** The built-in administrator, of another tenant. */
  operator: Client;
  sql: postgres.Sql;
  tenant_id: string;
  /** Who sent the last call in the caller's name; null: the caller itself. */
  via: string | null;
  /** Waits of an administrator, by run. */
  waits: Map<string, Promise<Answer>>;
  subscriptions: { run_id: string; subscription_id: string; after: number; client: Client }[];
  /** How often each method was answered (`run_get ok`) and refused (`run_get NOT_FOUND`). */
  tally: Map<string, number>;
  count(method: string, outcome?: string): void;
  /** An answer, or {refused: "CODE reason"}. */
  ask(by: Name, method: string, params: Params): Promise<Answer>;
  /** A connection with any token; refused where the token is. */
  open(token: string): Promise<Client>;
  /** The connection that the next call of this caller would take. */
  connect(by: Name, at: number): Promise<Client | null>;
  close(): Promise<void>;
}

export const readRefusal = ({ data: { code, reason } }: RpcErrorBody): string =>
  reason === undefined ? code : `${code} ${reason}`;

const permissions: Record<Name, string[]> = {
  one: ["agent_run:create"],
  two: ["agent_run:create"],
  admin: ["agent_run:admin", "runtime:admin"],
};

export async function openTenant(world: HostWorld): Promise<Tenant> {
  const tenant_id = fresh("tenant");
  const register = async (plugin_identity: string, granted: string[]): Promise<string> => {
    const { token } = await world.admin.call("plugin_register", {
      plugin_identity, tenant_id, permissions: granted,
    });
    return token;
  };
  const actors = {} as Record<Name, Actor>;
  for (const name of names) {
    actors[name] = await openActor(world, {
      name, token: await register(`acme/${name}`, permissions[name]),
    });
  }
  const covered = Object.values(permissions).flat();
  const hub_token = await register(delegate, [...new Set(["plugin:delegate", ...covered])]);
  const hub = await world.test.connect(hub_token);
  return makeTenant(world, { tenant_id, actors, hub });
}

async function openActor(
  world: HostWorld, { name, token }: { name: Name; token: string },
): Promise<Actor> {
  const identity = `acme/${name}`;
  const runner_id = `plugin:${identity}/main`;
  const runtime_id = `runtime-${name}`;
  const clients: Client[] = [];
  for (let at = 0; at < connections_each; at += 1) clients.push(await world.test.connect(token));
  await clients[0]!.call("runner_register", { runners: [{ id: runner_id }] });
  await clients[0]!.call("runtime_register", { runtime_id, heartbeat_ttl_seconds: 3600 });
  return { identity, runner_id, runtime_id, token, clients };
}

function makeTenant(
  world: HostWorld, { tenant_id, actors, hub }: Pick<Tenant, "tenant_id" | "actors" | "hub">,
): Tenant {
  let turn = 0;
  const tenant: Tenant = {
    actors, hub, tenant_id,
    operator: world.admin,
    sql: world.clone.sql,
    via: null,
    waits: new Map(),
    open: (token) => world.test.connect(token),
    subscriptions: [],
    tally: new Map(),
    count(method, outcome = "ok") {
      const name = `${method} ${outcome}`;
      tenant.tally.set(name, (tenant.tally.get(name) ?? 0) + 1);
    },
    async connect(by, at) {
      const actor = actors[by];
      const client = actor.clients[at]!;
      if (client.socket.readyState === open_socket) return client;
      const opened = await world.test.connect(actor.token).catch(() => null);
      if (opened !== null) actor.clients[at] = opened;
      return opened;
    },
    async ask(by, method, params) {
      turn += 1;
      const isDelegated = turn % 4 === 0;
      tenant.via = isDelegated ? delegate : null;
      const client = isDelegated ? hub : await tenant.connect(by, turn % connections_each);
      if (client === null) return { refused: "UNAUTHENTICATED" };
      const named = isDelegated ? { ...params, caller_plugin_identity: actors[by].identity } : params;
      const { result, error } = await client.ask(method, named);
      const refused = error && readRefusal(error);
      tenant.count(method, refused);
      return refused === undefined ? result : { refused };
    },
    async close() {
      const clients = [hub, ...Object.values(actors).flatMap((actor) => actor.clients)];
      await Promise.all(clients.map((client) => client.close()));
    },
  };
  return tenant;
}

/** What only time does to runs; each names the rows by run. */
export const passTime = {
  /** A back-off is a random time; it is made so long that only `dueNow` ends it. */
  holdBack: ({ sql, tenant_id }: Tenant, run_ids: string[]) => sql`
    update agent_run set not_before = now() + interval '1 hour'
    where tenant_id = ${tenant_id} and run_id = any(${run_ids})
      and status = 'queued' and not_before < now() + interval '30 minutes'`,
  dueNow: ({ sql, tenant_id }: Tenant) => sql`
    update agent_run set not_before = null where tenant_id = ${tenant_id} and status = 'queued'`,
  endLease: ({ sql, tenant_id }: Tenant, run_id: string) => sql`
    update agent_run set claim_lease_expires_at = now() - interval '1 second'
    where tenant_id = ${tenant_id} and run_id = ${run_id}`,
  /** The whole run is moved back, its lease to where the deadline ends it. */
  passDeadline: ({ sql, tenant_id }: Tenant, run_id: string, seconds: number) => sql`
    update agent_run set created_at = created_at - past.time, started_at = started_at - past.time,
      deadline_at = deadline_at - past.time,
      claim_lease_expires_at = case when status = 'claimed' then
        least(claim_lease_expires_at, deadline_at - past.time + interval '60 seconds') end
    from (select run_id, deadline_at - now() + make_interval(secs => ${seconds}) as time
      from agent_run where tenant_id = ${tenant_id} and run_id = ${run_id}) as past
    where tenant_id = ${tenant_id} and agent_run.run_id = past.run_id`,
  age: ({ sql, tenant_id }: Tenant, run_id: string) => sql`
    update agent_run set finished_at = now() - interval '8 days'
    where tenant_id = ${tenant_id} and run_id = ${run_id}`,
  endSteeringLeases: ({ sql, tenant_id }: Tenant, run_id: string) => sql`
    update agent_run_steering set lease_expires_at = now() - interval '1 second'
    where tenant_id = ${tenant_id} and run_id = ${run_id} and state = 'leased'`,
  endInteractions: ({ sql, tenant_id }: Tenant, run_id: string) => sql`
    update agent_interaction set expires_at = now() - interval '1 second'
    where tenant_id = ${tenant_id} and run_id = ${run_id} and status = 'pending'`,
  missHeartbeat: ({ sql, tenant_id }: Tenant, runtime_id: string) => sql`
    update agent_runtime set heartbeat_deadline_at = now() - interval '1 second'
    where tenant_id = ${tenant_id} and runtime_id = ${runtime_id}`,
};
