// Access sheet: state_get, state_set, state_delete, state_list: the live session is the only path,
// then the policy of the snapshot (actions.md M.9). Read from the contract, never recorded from a
// host.

import type { Params } from "../support/client.js";
import {
  denied, fenced, fencedByGuess, insteadOf, liveSession, never, noOtherPath, refusedParam,
} from "./sheet_context_session.js";
import { override, type Group, type Row, type Scene } from "./sheet.js";

const unavailable: readonly Group[] = [
  [["no_conversation"], "FORBIDDEN/scope_unavailable",
    "M.9: without conversation_id that scope has no key; state is granted all the same (3.2)"],
];

const rowsOf = (action: string, more: Params): Row[] => {
  const within = (scope: string) => ({ naming }: Scene) => ({ ...naming, ...more, scope });
  const params = within("conversation");
  return [
    {
      action, variant: "scope conversation", naming: "run_id", params,
      cells: override(liveSession, unavailable),
    },
    {
      action, variant: "scope conversation, everything granted", naming: "run_id", grants: "all",
      params, cells: override(liveSession, unavailable),
    },
    {
      action, variant: "scope actor", naming: "run_id", params: within("actor"),
      cells: insteadOf("FORBIDDEN/scope_unavailable",
        "M.9: the run lacks the identity for the scope: no actor_id"),
    },
    ...["subject", "runner"].map((scope): Row => ({
      action, variant: `scope ${scope}`, naming: "run_id", grants: "all", params: within(scope),
      cells: insteadOf("FORBIDDEN/scope_disabled",
        "M.9: the scope is not in the policy, by default conversation and actor (3.3)"),
    })),
    {
      action, variant: "scope conversation, capability denied", naming: "run_id",
      grants: { state: false }, params, cells: denied,
    },
    {
      action, variant: "scope runner, capability denied", naming: "run_id",
      grants: { state: false }, params: within("runner"), cells: denied,
    },
    ...noOtherPath(action, { ...more, scope: "conversation" }),
  ];
};

const fences = (action: string, more: Params): Row[] => {
  const params = ({ naming }: Scene) => ({ ...naming, ...more, scope: "conversation" });
  const unmade = { ...never, ...more, scope: "conversation" };
  return [
    {
      action, variant: "claim shown", naming: "run_id", claim: "shown", params,
      cells: override(fenced, unavailable),
    },
    {
      action, variant: "claim shown or guessed", naming: "run_id", claim: "required", params,
      // A guessed claim on a run without a conversation fails twice; no rule says which is told.
      cells: fencedByGuess,
    },
    {
      action, variant: "half a claim", naming: "none",
      params: () => ({ ...unmade, claim_token: "0".repeat(32) }),
      cells: refusedParam("runtime_id",
        "3.6: either of the first two without the other is INVALID_PARAMS"),
    },
    {
      action, variant: "an epoch alone", naming: "none",
      params: () => ({ ...unmade, claim_epoch: 1 }),
      cells: refusedParam("runtime_id", "3.6: claim_epoch alone is INVALID_PARAMS"),
    },
  ];
};

const reads = ["state_get", "state_list"] as const;
const key = { key: "k" };

export const stateRows: readonly Row[] = [
  ...reads.flatMap((action) => {
    const more = action === "state_get" ? key : {};
    return [
      ...rowsOf(action, more),
      {
        action, variant: "a claim, which it does not take", naming: "none",
        params: () =>
          ({ ...never, ...more, scope: "conversation", claim_token: "0".repeat(32) }),
        cells: refusedParam("claim_token", "M.9: claim params (fence) for set and delete; 1.1"),
      } satisfies Row,
    ];
  }),
  ...rowsOf("state_set", { ...key, value: 1 }), ...fences("state_set", { ...key, value: 1 }),
  ...rowsOf("state_delete", key), ...fences("state_delete", key),
];
