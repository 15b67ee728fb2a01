// Access sheet: event_publish (PERM), run_subscribe (as run_events_page), run_unsubscribe (the
// connection). Read from the contract (actions.md M.2, M.3, 3.1), never recorded from a host.

import type { AccessWorld } from "../support/access_world.js";
import type { ColumnName } from "./columns.js";
import { authenticated, without } from "./sheet_plugins.js";
import { byBoth, bySession, byTarget, deniedButClaimed } from "./sheet_reads.js";
import { never, refusedParam } from "./sheet_context_session.js";
import {
  beforeMethod, creators, limiteds, override, runAdmins, type Group, type Row, type Scene,
} from "./sheet.js";

const holders = [
  ...creators, ...runAdmins, ...limiteds, "builtin", "tenant_b_admin",
] as const satisfies ColumnName[];
/** The column's workspace is outside the caller's. */
const outside: readonly ColumnName[] = ["limited_out", "limited_null", "creator_limited_out"];
const inside = holders.filter((name) => !outside.includes(name));

/** PERM(agent_run:admin, agent_run:create); the workspace is the column's. */
const publishing: readonly Group[] = [
  ...beforeMethod,
  [without(...holders), "FORBIDDEN/permission_missing",
    "M.2: PERM(agent_run:admin, agent_run:create), a check of step 3 (3.5); no run does for it"],
  [inside, "ok", "3.1: held; M.2: the workspace is in WS of it"],
  [outside, "FORBIDDEN/out_of_scope",
    "M.2: workspace rule of run_create; 3.4: null is in no limited set"],
];

const publish = ({ fresh, workspace }: Scene) => ({
  event_id: `event_${fresh}`, workspace_id: workspace, conversation_id: `talk_${fresh}`,
  text: "a word",
});
const publishRun = (scene: Scene) => ({
  ...publish(scene), runner_id: "plugin:acme/owner/r1", allow_unregistered_runner: true,
});
const granting = (name: string) => (scene: Scene) =>
  ({ ...publishRun(scene), authorization: { available_apis: { [name]: true } } });

const insideCreators = creators.filter((name) => !outside.includes(name));
const reused: readonly Group[] = override(publishing, [
  [inside.filter((name) => name !== "tenant_b_admin"), "CONFLICT/event_id_reused",
    "M.2 event_publish: same fingerprint and same publisher, else event_id_reused"],
  [["tenant_b_admin"], "ok", "1.9: an event_id means nothing in another tenant"],
]);

/** The same event_id with other content, by the built-in administrator of default. */
async function publishOther(world: AccessWorld, scene: Scene): Promise<void> {
  await world.of("builtin").call("event_publish", { ...publish(scene), text: "another word" });
}

/** A live run that the message fits, so it is absorbed where it is published. */
async function makeListener(world: AccessWorld, scene: Scene): Promise<void> {
  const { text: _text, event_id: _id, ...place } = publish(scene);
  await world.of("builtin").call("run_create", {
    ...place, runner_id: "plugin:acme/owner/r1", allow_unregistered_runner: true,
    dispatch: "running",
  });
}

const event = { action: "event_publish", naming: "none" } as const;

const publishRows: readonly Row[] = [
  { ...event, variant: "to be logged", params: publish, cells: publishing },
  {
    ...event, variant: "to be absorbed", prepare: makeListener, params: publish, cells: publishing,
  },
  { ...event, variant: "to become a run", params: publishRun, cells: publishing },
  {
    ...event, variant: "without params",
    params: () => ({}),
    cells: override(publishing, [
      [[...limiteds, "creator_limited_in", "creator_limited_out"], "FORBIDDEN/out_of_scope",
        "M.2: workspace rule of run_create; 3.4: null is in no limited set"],
    ]),
  },
  {
    ...event, variant: "of a runner that nobody registered",
    params: (scene) => ({ ...publishRun(scene), allow_unregistered_runner: false }),
    cells: override(publishing, [
      [inside, "NOT_FOUND/runner",
        "M.2 event_publish: errors as run_create; 1.9: runners mean nothing in another tenant"],
    ]),
  },
  {
    ...event, variant: "grants run_append_result to its run", params: granting("run_append_result"),
    cells: override(publishing, [
      [insideCreators, "FORBIDDEN/permission_missing",
        "3.2: true for a name that is not granted by default needs agent_run:admin"],
    ]),
  },
  {
    ...event, variant: "grants run_claim to its run", params: granting("run_claim"),
    cells: override(publishing, [
      [[...insideCreators, ...runAdmins], "FORBIDDEN/permission_missing",
        "3.2: for a name of the last row it needs runtime:admin as well"],
    ]),
  },
  {
    ...event, variant: "an event_id that is taken", prepare: publishOther, params: publish,
    cells: reused,
  },
  {
    ...event, variant: "with a run_id",
    params: (scene) => ({ ...never, ...publish(scene) }),
    cells: override(publishing, [
      [holders, "INVALID_PARAMS/run_id",
        "3.5: a method that does not list run_id takes none; 1.2: step 4 before the workspace"],
    ]),
  },
];

const asNamed = ({ naming }: Scene) => naming;
const subscribe = { action: "run_subscribe", params: asNamed } as const;

const subscribeRows: readonly Row[] = [
  { ...subscribe, variant: "own run", naming: "run_id", cells: bySession },
  { ...subscribe, variant: "target only", naming: "target", cells: byTarget },
  { ...subscribe, variant: "session and target", naming: "both", cells: byBoth },
  {
    ...subscribe, variant: "own run, capability denied", naming: "run_id",
    grants: { run_events_page: false }, cells: deniedButClaimed,
  },
  {
    ...subscribe, variant: "own run, run_get denied", naming: "run_id", grants: { run_get: false },
    cells: bySession,
  },
  {
    ...subscribe, variant: "no run", naming: "none",
    cells: refusedParam("target_run_id",
      "1.3: neither given where a target is needed: INVALID_PARAMS at target_run_id"),
  },
];

const connections: readonly Group[] = [
  ...beforeMethod,
  [authenticated, "ok", "M.3 run_unsubscribe: the connection; removed is false for an unknown one"],
];

const unsubscribe = { action: "run_unsubscribe", naming: "none" } as const;

const unsubscribeRows: readonly Row[] = [
  {
    ...unsubscribe, variant: "a subscription that is none of the connection's",
    params: ({ fresh }) => ({ subscription_id: `sub_${fresh}` }), cells: connections,
  },
  {
    ...unsubscribe, variant: "without params",
    cells: refusedParam("subscription_id", "M.3: subscription_id is required; 1.2 step 4"),
  },
  {
    ...unsubscribe, variant: "with a run_id",
    params: ({ fresh }) => ({ ...never, subscription_id: `sub_${fresh}` }),
    cells: refusedParam("run_id", "3.5: a method that does not list run_id takes none; 1.1"),
  },
];

export const eventRows: readonly Row[] = [
  ...publishRows, ...subscribeRows, ...unsubscribeRows,
];
