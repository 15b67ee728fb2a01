// Access sheet: history_page, history_search, event_get, event_page, prompt_get, steering_pull,
// steering_ack: the live session is the only path (actions.md M.7, M.8; 3.5: methods with RUN as
// their only path have no administrator path). Read from the contract, never recorded from a host.

import type { AccessWorld } from "../support/access_world.js";
import type { Params } from "../support/client.js";
import type { ColumnName } from "./columns.js";
import { authenticated } from "./sheet_plugins.js";
import {
  beforeMethod, expiredForeign, override, strangers, type Group, type Row, type Scene,
} from "./sheet.js";

const own = "3.4 SESSION, mode live: OWNER holds and LIVE; the capability is granted (3.2)";
const claimer = "4.2: while the lease is active the claimed run is a live session of the claimer";
const notLive = "3.4 SESSION, mode live: the run is the caller's own, but not LIVE";
const noLease = "3.4 LIVE: a claimed run without an active lease, or one that is not claimed";
const noSession = "3.4 SESSION: neither OWNER nor CLAIMER, or no such run: not_authorized";
const noAdmin =
  "3.5: RUN is the only path, so no administrator path; no permission replaces SESSION";
const leaseOver = "4.2: after the lease SESSION answers not_authorized to another claimer";

/** Columns with a live claim of the caller's, by what the caller shows. */
export const provenClaims = [
  "claimer_owner_claim", "foreign_claim", "former_claim",
] as const satisfies ColumnName[];
const bareClaims = ["claimer_owner_bare", "foreign_bare"] as const satisfies ColumnName[];
export const wrongClaims = [
  "wrong_token", "wrong_epoch", "foreign_wrong_epoch",
] as const satisfies ColumnName[];
const liveClaims = [...provenClaims, ...bareClaims, ...wrongClaims] as const;

const runningSessions = [
  "owner_live", "delegate_owner", "other_runner", "other_conversation", "other_bot",
  "other_thread", "no_conversation", "run_admin_session",
] as const satisfies ColumnName[];

/** Whoever SESSION(run_id, live) lets through. */
export const admitted: readonly ColumnName[] = [...runningSessions, ...liveClaims];

/** run_id alone, mode live, the capability granted whatever the run has. */
export const liveSession: readonly Group[] = [
  ...beforeMethod,
  [runningSessions.filter((name) => name !== "delegate_owner" && name !== "run_admin_session"),
    "ok", own],
  [["delegate_owner"], "ok", "wire.md §3: judged as if the other identity had made the call"],
  [["run_admin_session"], "ok", own],
  [liveClaims, "ok", claimer],
  [["owner_over", "owner_queued", "ended_inside", "failed_inside", "ended_past", "target_ended"],
    "SESSION_EXPIRED", notLive],
  [["expired_owner_bare", "expired_owner_claim", "released_claim", "claim_ended"],
    "SESSION_EXPIRED", noLease],
  [["other_plugin", "missing"], "FORBIDDEN/not_authorized", noSession],
  [expiredForeign, "FORBIDDEN/not_authorized", leaseOver],
  [strangers, "FORBIDDEN/not_authorized", noAdmin],
];

/** A run as it is made: some capabilities need a conversation. */
const byDefault: readonly Group[] = override(liveSession, [
  [["no_conversation"], "FORBIDDEN/capability_missing",
    "3.2: granted in a new run when the run has a conversation"],
]);

/** Everybody whom the session lets through gets this answer. */
export const insteadOf = (expected: string, why: string): readonly Group[] =>
  override(liveSession, [[admitted, expected, why]]);

/** The snapshot denies what no claim implies. */
export const denied = insteadOf("FORBIDDEN/capability_missing",
  "3.4 CAP: the snapshot does not grant it, 3.2 CLAIM_CAPS does not hold it, no permission does");

const deniedButClaimed = override(liveSession, [
  [runningSessions, "FORBIDDEN/capability_missing",
    "3.4 CAP: the snapshot does not grant it, and nothing is claimed"],
  [liveClaims, "ok", "3.2 CLAIM_CAPS: an active claim implies steering_pull and steering_ack"],
]);

/** Step 4 for everybody who may speak. */
export const refusedParam = (path: string, why: string): readonly Group[] => [
  ...beforeMethod, [authenticated, `INVALID_PARAMS/${path}`, why],
];

const noRunNamed = refusedParam("run_id", "1.1, 1.2 step 4: run_id is required, for everybody");
const targetNamed = refusedParam("target_run_id",
  "1.1 closed: the method lists no target_run_id; 3.5: for methods without a target t = s");

/** What is refused before a run is looked at names a run that was never made. */
export const never = { run_id: "run_never" };

/** Without run_id, and with a target: neither opens another path. */
export const noOtherPath = (action: string, more: Params): Row[] => [
  { action, variant: "no run", naming: "none", params: () => more, cells: noRunNamed },
  {
    action, variant: "a target too", naming: "none",
    params: () => ({ ...never, target_run_id: never.run_id, ...more }), cells: targetNamed,
  },
];

const elsewhere = insteadOf("FORBIDDEN/out_of_scope",
  "3.4 CONV: requested is not s.conversation_id, or the session has none: out_of_scope");

const reading = (
  action: string,
  more: Params,
  inConversation: (conversation_id: string) => Params,
): Row[] => {
  const params = ({ naming }: Scene) => ({ ...naming, ...more });
  return [
    { action, variant: "own run", naming: "run_id", params, cells: byDefault },
    {
      action, variant: "own run, everything granted", naming: "run_id", grants: "all", params,
      cells: override(liveSession, [
        [["no_conversation"], "ok", "M.7: without a run conversation an empty page, no error"],
      ]),
    },
    {
      action, variant: "own run, capability denied", naming: "run_id",
      grants: { [action]: false }, params, cells: denied,
    },
    {
      action, variant: "own run, another conversation", naming: "run_id", grants: "all",
      params: ({ naming }) => ({ ...naming, ...more, ...inConversation("elsewhere") }),
      cells: elsewhere,
    },
    ...noOtherPath(action, more),
  ];
};

const named = (conversation_id: string): Params => ({ conversation_id });

const ownEvent = ({ naming, run }: Scene) => ({ ...naming, event_id: `api:${run}` });
const freshEvent = ({ naming, fresh }: Scene) => ({ ...naming, event_id: fresh });
const notReached = insteadOf("FORBIDDEN/out_of_scope",
  "M.7 event_get: not the run's own, not linked, not SCOPED; also an unknown event");

/** An event that no run of the cell has anything to do with. */
async function publishElsewhere(world: AccessWorld, { fresh }: Scene): Promise<void> {
  await world.of("builtin").call("event_publish", {
    event_id: fresh, conversation_id: `${fresh}_talk`, text: "elsewhere",
  });
}

const eventRows: readonly Row[] = [
  {
    action: "event_get", variant: "the run's own event", naming: "run_id", params: ownEvent,
    cells: byDefault,
  },
  {
    action: "event_get", variant: "the run's own event, everything granted", naming: "run_id",
    grants: "all", params: ownEvent,
    cells: override(liveSession, [
      [["no_conversation"], "ok", "M.7 event_get: its own event needs no run conversation"],
    ]),
  },
  {
    action: "event_get", variant: "own run, capability denied", naming: "run_id",
    grants: { event_get: false }, params: ownEvent, cells: denied,
  },
  {
    action: "event_get", variant: "an unknown event", naming: "run_id", grants: "all",
    params: freshEvent, cells: notReached,
  },
  {
    action: "event_get", variant: "an event of another conversation", naming: "run_id",
    grants: "all", prepare: publishElsewhere, params: freshEvent, cells: notReached,
  },
  ...noOtherPath("event_get", { event_id: "any" }),
];

const asNamed = ({ naming }: Scene) => naming;

async function plantPrompt(world: AccessWorld, { run }: Scene): Promise<void> {
  const prompt = [{ role: "user", content: "a word" }];
  await world.sql`
    update agent_run_request set prompt = ${world.sql.json(prompt)} where run_id = ${run}`;
}

const promptRows: readonly Row[] = [
  {
    action: "prompt_get", variant: "own run with a prompt", naming: "run_id", grants: "all",
    prepare: plantPrompt, params: asNamed, cells: liveSession,
  },
  {
    action: "prompt_get", variant: "own run, created without a prompt", naming: "run_id",
    params: asNamed,
    cells: insteadOf("FORBIDDEN/capability_missing",
      "3.2: granted when the run was created with a prompt; 3.4 CAP before 1.2 step 6"),
  },
  {
    action: "prompt_get", variant: "own run without a prompt, everything granted",
    naming: "run_id", grants: "all", params: asNamed,
    cells: insteadOf("NOT_FOUND/prompt", "M.8 prompt_get: the run was created without one"),
  },
  ...noOtherPath("prompt_get", {}),
];

/** The claim is shown where the column has one. */
export const fenced: readonly Group[] = override(liveSession, [
  [wrongClaims, "LEASE_LOST/claim_not_active",
    "3.6 Fence: when given, CLAIM_PROOF(s) must hold: wrong token or epoch"],
  [provenClaims, "ok", "3.6 Fence: CLAIM_PROOF(s) holds"],
]);

/** Everybody shows a claim; only those who hold one show the right one. */
export const fencedByGuess: readonly Group[] = override(fenced, [
  [[...runningSessions, ...bareClaims], "LEASE_LOST/claim_not_active",
    "3.6 Fence: a claim that is shown decides, also on a running run that needs none"],
]);

const steering = (action: string, more: Params): Row[] => {
  const params = ({ naming }: Scene) => ({ ...naming, ...more });
  const every = { naming: "run_id", grants: "all", params } as const;
  return [
    { action, variant: "own run", naming: "run_id", params, cells: byDefault },
    { action, variant: "own run, everything granted", ...every, cells: liveSession },
    {
      action, variant: "own run, claim shown", ...every, claim: "shown", cells: fenced,
    },
    {
      action, variant: "own run, claim shown or guessed", ...every, claim: "required",
      cells: fencedByGuess,
    },
    {
      action, variant: "own run, capability denied", ...every, grants: { steering_pull: false },
      cells: deniedButClaimed,
    },
    {
      action, variant: "own run, capability denied, claim shown", ...every,
      grants: { steering_pull: false }, claim: "shown",
      cells: override(deniedButClaimed, [
        [wrongClaims, "LEASE_LOST/claim_not_active", "3.6 Fence: CLAIM_PROOF(s) does not hold"],
      ]),
    },
    {
      action, variant: "half a claim", naming: "none",
      params: () => ({ ...never, ...more, runtime_id: "rt_owner" }),
      cells: refusedParam("claim_token",
        "3.6: either of the first two without the other is INVALID_PARAMS"),
    },
    ...noOtherPath(action, more),
  ];
};

export const sessionRows: readonly Row[] = [
  ...reading("history_page", {}, named),
  ...reading("history_search", { query: "word" }, (id) => ({ filters: named(id) })),
  ...reading("event_page", {}, named),
  ...eventRows, ...promptRows,
  ...steering("steering_pull", {}),
  {
    action: "steering_pull", variant: "own run, confirming first", naming: "run_id",
    claim: "shown", grants: "all", params: ({ naming }) => ({ ...naming, ack: ["steer_never"] }),
    cells: fenced,
  },
  ...steering("steering_ack", { steering_ids: ["steer_never"] }),
];
