// The host's side: a tenant of its own for each sequence, two plugins and an administrator, each with
// a runner, a runtime and connections, and the two things that only time does.

import type postgres from "postgres";
import type { Answer, Client, Params } from "../support/client.js";
import { fresh, type HostWorld } from "../support/host.js";
import type { Name } from "./reference.js";

export interface Actor {
  runner_id: string;
  runtime_id: string;
  /** Calls alternate between connections. */
  clients: Client[];
}

export interface Tenant {
  actors: Record<Name, Actor>;
  sql: postgres.Sql;
  tenant_id: string;
  /** An answer, or {refused: "CODE reason"}. */
  ask(by: Name, method: string, params: Params): Promise<Answer>;
  close(): Promise<void>;
}

const permissions: Record<Name, string[]> = {
  one: ["agent_run:create"],
  two: ["agent_run:create"],
  admin: ["agent_run:admin", "runtime:admin"],
};

export async function openTenant(world: HostWorld): Promise<Tenant> {
  const tenant_id = fresh("tenant");
  const actors = {} as Record<Name, Actor>;
  for (const name of ["one", "two", "admin"] as const) {
    const plugin_identity = `acme/${name}`;
    const { token } = await world.admin.call("plugin_register", {
      plugin_identity, tenant_id, permissions: permissions[name],
    });
    const clients = [await world.test.connect(token), await world.test.connect(token)];
    const runner_id = `plugin:${plugin_identity}/main`;
    const runtime_id = `runtime-${name}`;
    await clients[0]!.call("runner_register", { runners: [{ id: runner_id }] });
    await clients[0]!.call("runtime_register", { runtime_id, heartbeat_ttl_seconds: 3600 });
    actors[name] = { runner_id, runtime_id, clients };
  }
  let turn = 0;
  return {
    actors,
    sql: world.clone.sql,
    tenant_id,
    async ask(by, method, params) {
      turn += 1;
      const client = actors[by].clients[turn % 2]!;
      const { result, error } = await client.ask(method, params);
      if (!error) return result;
      const { code, reason } = error.data;
      return { refused: reason === undefined ? code : `${code} ${reason}` };
    },
    async close() {
      const clients = Object.values(actors).flatMap((actor) => actor.clients);
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
