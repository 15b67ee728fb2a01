// What run_explain tells to whom: counts over what the caller reaches, the status of a runtime to
// who may know it, and nothing else (protocol/README.md, "Why a run is not moving").

import { expect, test } from "vitest";
import { claimOf, fresh, registerPlugin, useHost } from "../support/host.js";
import type { Answer } from "../support/client.js";
import { claimIt, codesOf, createRun, explain, explainOwn, factsOf, makeStill } from "./world.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });
const aheadOf = (answer: Answer) => {
  const { among, count } = factsOf(answer, "runs_ahead") ?? { among: null, count: 0 };
  return { among, count };
};

test("runs ahead: all of the queue for an administrator, those in scope for a session, one's own for a creator", async () => {
  const creator = await registerPlugin(world(), { permissions: ["agent_run:create"] });
  const neighbour = await registerPlugin(world());
  const plugin = await registerPlugin(world());
  const queue_name = fresh("queue");
  await createRun(world(), neighbour, { queue_name });
  await createRun(world(), neighbour, { queue_name });
  await createRun(world(), plugin, { queue_name });
  const made = await creator.client.call("run_create", {
    runner_id: plugin.runner_id, queue_name, conversation_id: "c",
  });
  const still = { plugin, queue_name, run_id: made.run_id };
  const before = await explain(creator.client, made.run_id);
  expect(codesOf(before)).toEqual(["awaiting_claim"]);
  const { run_id } = await creator.client.call("run_create", {
    runner_id: plugin.runner_id, queue_name, conversation_id: "c",
  });
  expect(aheadOf(await explain(world().admin, run_id))).toEqual({ among: "queue", count: 4 });
  expect(aheadOf(await explainOwn({ ...still, run_id }))).toEqual({ among: "scope", count: 1 });
  expect(aheadOf(await explain(creator.client, run_id))).toEqual({ among: "creator", count: 1 });
});

test("runs ahead: a claimer of another plugin counts inside the scope of its session", async () => {
  const fleet = await registerPlugin(world(), { permissions: ["runtime:admin"] });
  const plugin = await registerPlugin(world());
  const [queue_name, claimed] = [fresh("queue"), fresh("queue")];
  const add = (conversation_id: string, more: object) =>
    createRun(world(), plugin, { conversation_id, ...more });
  const session = await add("c", { queue_name: claimed });
  await fleet.client.call("run_claim", {
    runtime_id: fleet.runtime_id, queue_name: claimed, lease_seconds: 300,
  });
  await add("elsewhere", { queue_name });
  await add("c", { queue_name });
  const { run_id } = await add("c", { queue_name });
  expect(aheadOf(await explain(world().admin, run_id))).toEqual({ among: "queue", count: 2 });
  const answer = await fleet.client.call("run_explain", {
    run_id: session.run_id, target_run_id: run_id,
  });
  expect(aheadOf(answer)).toEqual({ among: "scope", count: 1 });
});

test("the status of another plugin's runtime is told to nobody but an administrator", async () => {
  const stranger = await registerPlugin(world());
  const still = await makeStill(world(), { requested_runtime_id: stranger.runtime_id });
  const absent = await makeStill(world(), { requested_runtime_id: fresh("runtime") });
  const plain = ({ reasons }: Answer, runtime_id: string) =>
    JSON.stringify(reasons).replaceAll(runtime_id, "R");
  const own = [
    plain(await explainOwn(still), stranger.runtime_id),
    plain(await explainOwn(absent), (await world().admin.call("run_get", {
      target_run_id: absent.run_id,
    })).requested_runtime_id),
  ];
  expect(own[0]).toBe(own[1]);
  expect(own[0]).toContain('"runtime_status":null');
  const told = factsOf(await explain(world().admin, still.run_id), "pinned_runtime_not_online");
  expect(told).toMatchObject({ runtime_status: "online" });
  expect(told.message).toContain("may not claim it");
});

test("an explanation names no run but its own, no other runtime and no claim token", async () => {
  const neighbour = await makeStill(world());
  const still = await makeStill(world());
  const ahead = await createRun(world(), still.plugin, {
    queue_name: still.queue_name, priority: 9,
  });
  const item = await claimIt(still);
  const answers = [
    await explainOwn(still), await explainOwn({ ...still, run_id: ahead.run_id }),
  ].map((answer) => JSON.stringify(answer));
  expect(answers[1]).toContain("lease_held");
  for (const word of [claimOf(item).claim_token, neighbour.run_id, neighbour.plugin.runtime_id]) {
    expect(answers.filter((answer) => answer.includes(word))).toEqual([]);
  }
  expect(answers[0]).not.toContain(ahead.run_id);
});
