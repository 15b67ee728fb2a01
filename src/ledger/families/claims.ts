// Claims: taking runs, now or when there are some, renewing and giving back.

import type { Grant } from "../../contract/grants.js";
import { Refusal } from "../../contract/errors.js";
import { limits } from "../../contract/limits.js";
import type { RenewedRun, Run, WorkItem } from "../../contract/records.js";
import { makeClaimTokens, sha256Hex } from "../identifiers.js";
import type { Ledger } from "../ledger.js";
import { type LedgerParts, tellAftermath } from "../parts.js";
import type { ClaimRequest } from "../requests.js";

export function createClaims(parts: LedgerParts): Ledger["claims"] {
  const { operate, told } = parts;
  return {
    take: (grant, request) => take(parts, grant, request),
    async renew(grant, request) {
      return (await operate("run_renew", { grant, input: request }))["run"] as RenewedRun;
    },
    async release(grant, request) {
      const done = await operate("run_release", { grant, input: request });
      const run = done["run"] as Run;
      tellAftermath(told, { tenant_id: grant.tenant_id, run_id: run.run_id }, done);
      return run;
    },
  };
}

async function take(
  parts: LedgerParts,
  grant: Grant<"fleet">,
  request: ClaimRequest,
): Promise<WorkItem[]> {
  const { caller, admin, run_id, tenant_id } = grant;
  const { runtime_id, queue_name, runner_ids } = request;
  const kind = JSON.stringify([caller, admin, run_id, runtime_id, queue_name, runner_ids]);
  try {
    return await takeInTime(parts, grant, { ...request, kind });
  } finally {
    parts.waits.wakeNextClaim({ tenant_id, kind });
  }
}

/** Each attempt is one statement that checks access and runtime again; a signal brings the next one
    forward, and one a second finds what other hosts or the clock made claimable. */
async function takeInTime(
  parts: LedgerParts,
  grant: Grant<"fleet">,
  request: ClaimRequest & { kind: string },
): Promise<WorkItem[]> {
  const { tenant_id } = grant;
  const ends = performance.now() + request.wait_seconds * 1000;
  for (;;) {
    const woken = parts.waits.untilRunClaimable({ tenant_id, kind: request.kind });
    try {
      if (request.signal.aborted) throw new Refusal("UNAVAILABLE", {}, "the host is stopping");
      const taken = await takeNow(parts, grant, request);
      if (taken.length > 0) return taken;
      const left_ms = ends - performance.now();
      if (left_ms <= 0) throw new Refusal("NO_RUN_AVAILABLE");
      // A little under a second: the look itself has to end within it.
      await woken.within(Math.min(left_ms, limits.wake_seconds * 900), request.signal);
    } finally {
      woken.forget();
    }
  }
}

async function takeNow(
  parts: LedgerParts,
  grant: Grant<"fleet">,
  request: ClaimRequest,
): Promise<WorkItem[]> {
  const tokens = makeClaimTokens(request.max_runs);
  const { runtime_id, queue_name, runner_ids, lease_seconds, max_runs } = request;
  const token_sha256s = tokens.map(sha256Hex);
  const input = { runtime_id, queue_name, runner_ids, lease_seconds, max_runs, token_sha256s };
  const done = await parts.operate("run_claim", { grant, input });
  // Nobody else has the items; spreads of them would cost several times as much.
  const taken = (done["runs"] as Omit<WorkItem, "claim_token">[]).map((item, place) =>
    Object.assign(item, { claim_token: tokens[place] }) as WorkItem);
  if (request.signal.aborted) await handBack(parts, grant, taken);
  return taken;
}

/** The connection closed while the statement was under way: nobody will work on these runs. */
async function handBack(
  parts: LedgerParts,
  grant: Grant<"fleet">,
  taken: readonly WorkItem[],
): Promise<void> {
  for (const item of taken) {
    const releasing = {
      ...grant,
      run_id: null,
      target_run_id: item.run_id,
      claim: {
        runtime_id: String(item.claimed_by_runtime_id),
        token_sha256: sha256Hex(item.claim_token),
        epoch: item.claim_epoch,
      },
    };
    const input = { status_reason: "claimer disconnected", not_before: null, refund_attempt: true };
    await parts.operate("run_release", { grant: releasing, input });
    parts.told.runClaimable(grant.tenant_id);
  }
}
