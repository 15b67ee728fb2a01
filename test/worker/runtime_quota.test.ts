// An identity may have 1000 runtimes registered at a time: what is deregistered gives its place
// back, whatever its name, and a name that comes again needs a place like a new one. A worker that
// finds no place does not end in silence.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../house/source.js";
import { fresh, registerPlugin, useHost, type Plugin } from "../support/host.js";

const world = useHost();
const limit = 1000;
const refused = { code: "CONFLICT", reason: "quota_exceeded", limit };

/** Further runtimes of the identity, as so many calls would have left them. */
async function addRuntimes(plugin: Plugin, runtimes: { count: number; is_registered: boolean }) {
  const name = fresh("many");
  const { count, is_registered } = runtimes;
  await world().clone.sql`
    insert into agent_runtime (tenant_id, runtime_id, plugin_identity, status, last_heartbeat_at,
      heartbeat_deadline_at, deregistered_at)
    select 'default', ${name} || '-' || n, ${plugin.identity},
      case when ${is_registered} then 'online' else 'offline' end, now(), now() + interval '1 hour',
      case when ${is_registered} then null else now() end
    from generate_series(1, ${count}) n`;
  return name;
}

const register = (plugin: Plugin, runtime_id: string) =>
  plugin.client.call("runtime_register", { runtime_id });
const deregister = (plugin: Plugin, runtime_id: string) =>
  plugin.client.call("runtime_deregister", { runtime_id });

test("runtimes that were deregistered do not count", async () => {
  const plugin = await registerPlugin(world());
  await addRuntimes(plugin, { count: limit, is_registered: false });
  const runtime_id = fresh("runtime");
  expect(await register(plugin, runtime_id)).toMatchObject({ runtime_id, status: "online" });
});

test("the 1000th is taken and the 1001st refused, until one goes", async () => {
  const plugin = await registerPlugin(world());
  const name = await addRuntimes(plugin, { count: limit - 2, is_registered: true });
  const [last, further] = [fresh("runtime"), fresh("runtime")];
  await register(plugin, last);
  expect(await plugin.client.refusal("runtime_register", { runtime_id: further }))
    .toMatchObject(refused);
  // Those that are registered may be registered again.
  expect(await register(plugin, last)).toMatchObject({ runtime_id: last });
  await deregister(plugin, `${name}-1`);
  expect(await register(plugin, further)).toMatchObject({ runtime_id: further });
});

test("a name that comes again needs a place; that of another identity is refused as ever", async () => {
  const plugin = await registerPlugin(world());
  const gone = fresh("runtime");
  await register(plugin, gone);
  await deregister(plugin, gone);
  await addRuntimes(plugin, { count: limit - 1, is_registered: true });
  expect(await plugin.client.refusal("runtime_register", { runtime_id: gone }))
    .toMatchObject(refused);
  const other = await registerPlugin(world());
  for (const runtime_id of [gone, plugin.runtime_id]) {
    expect(await other.client.refusal("runtime_register", { runtime_id }))
      .toMatchObject({ code: "FORBIDDEN", reason: "out_of_scope" });
  }
  expect(await plugin.client.refusal("runtime_register", { runtime_id: other.runtime_id }))
    .toMatchObject({ code: "FORBIDDEN", reason: "out_of_scope" });
  await deregister(plugin, plugin.runtime_id);
  expect(await register(plugin, gone)).toMatchObject({ runtime_id: gone, status: "online" });
});

test("of 20 that come at once for the last 5 places, 5 get one", async () => {
  const plugin = await registerPlugin(world());
  await addRuntimes(plugin, { count: limit - 6, is_registered: true });
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, () => register(plugin, fresh("runtime"))),
  );
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
});

test("the worker of README.md that finds no place says so, and its process fails", async () => {
  const plugin = await registerPlugin(world());
  await addRuntimes(plugin, { count: limit - 1, is_registered: true });
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const program = /```js\n(.*?)```/s.exec(readme)?.[1] ?? "";
  expect(program).toContain("createWorker");
  const code = program.replace("ws://127.0.0.1:7420/rpc", world().test.host.url);
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: root, env: { ...process.env, RUNHOST_TOKEN: plugin.token },
    stdio: ["ignore", "inherit", "pipe"],
  });
  let told = "";
  child.stderr.on("data", (chunk) => (told += chunk));
  const [exit_code] = await once(child, "close");
  expect([exit_code, told.match(/what: '(\w+)'/)?.[1]]).toEqual([1, "runtime_register"]);
  // Once by onProblem, and once as what ended the process.
  expect(told.match(/reason: 'quota_exceeded'/g)?.length).toBeGreaterThanOrEqual(2);
  expect(told).not.toContain(plugin.token);
});
