// The demo may only claim success when the ledger shows it: each way in which a run can end wrongly
// is a fault.

import { describe, expect, test } from "vitest";
import { judge } from "../../examples/document_report/verdict.js";

type Evidence = Parameters<typeof judge>[0];
type Entry = Evidence["entries"][number];
type Act = Evidence["planned"][number]["act"];

const acts: Act[] = ["report", "cancel_queued", "cancel_running", "kill"];

function makeEntry(act: Act): Entry {
  const is_cancelled = act.startsWith("cancel_");
  const types = {
    report: ["tool.call.started", "message.completed", "run.completed"],
    cancel_queued: [],
    cancel_running: ["tool.call.started"],
    kill: ["tool.call.started", "message.completed", "run.completed"],
  }[act];
  const claims = { report: 1, cancel_queued: 0, cancel_running: 1, kill: 2 }[act];
  return {
    run: {
      run_id: act,
      status: is_cancelled ? "cancelled" : "completed",
      status_reason: null,
      claimed_by_runtime_id: null,
      claim_epoch: claims,
      dispatch_attempts: claims,
      last_sequence: types.length,
      created_at_ms: 0,
      started_at_ms: 0,
      finished_at_ms: 0,
      cancel_requested_at: is_cancelled ? 0 : null,
    },
    events: types.map((type, index) => {
      return { sequence: index + 1, type, data: {}, claim_epoch: claims };
    }),
  };
}

/** A demo in which all went well, changed in one place. */
function judgeChanged(change: (entries: Record<Act, Entry>) => void): string[] {
  const entries = Object.fromEntries(acts.map((act) => [act, makeEntry(act)]));
  const { run } = makeEntry("kill");
  const left = { ...run, status: "claimed", claim_epoch: 1, dispatch_attempts: 1 };
  change(entries as Record<Act, Entry>);
  return judge({
    planned: acts.map((act) => ({ run_id: act, path: "a.md", act })),
    entries: Object.values(entries),
    killed: { runtime_id: "worker-1", held: [left] },
  });
}

describe("judging the ledger", () => {
  test("finds no fault where all went well", () => {
    expect(judgeChanged(() => undefined)).toEqual([]);
  });

  const faults: [change: (entries: Record<Act, Entry>) => void, fault: string][] = [
    [(all) => Reflect.deleteProperty(all, "report"), "report (a.md): not in the ledger"],
    [(all) => (all.report.run.status = "claimed"), "report (a.md): still open, claimed"],
    [(all) => Object.assign(all.report.run, { status: "failed", status_reason: "no" }),
      "report (a.md): ended as failed (no), not as completed"],
    [(all) => (all.cancel_running.run.status = "completed"),
      "cancel_running (a.md): ended as completed, not as cancelled"],
    [(all) => (all.report.events[0]!.sequence = 2),
      "report (a.md): its events are not in ascending sequence"],
    [(all) => (all.report.run.last_sequence = 4),
      "report (a.md): its last event is not the 4th, as the run says"],
    [(all) => (all.report.events[0]!.type = "run.completed"),
      "report (a.md): has 2 run.completed, not one"],
    [(all) => (all.report.events[1]!.type = "message.delta"),
      "report (a.md): does not hold one report"],
    [(all) => (all.cancel_queued.run.claim_epoch = 1),
      "cancel_queued (a.md): was worked on, although it was cancelled while queued"],
    [(all) => (all.cancel_running.run.cancel_requested_at = null),
      "cancel_running (a.md): nobody asked for its cancel"],
    [(all) => (all.cancel_running.events[0]!.type = "run.completed"),
      "cancel_running (a.md): is cancelled and yet has a run.completed"],
    [(all) => (all.kill.run.dispatch_attempts = 1),
      "kill: was not claimed again after worker-1 died"],
    [(all) => (all.kill.events[2]!.claim_epoch = 1), "kill: was not ended by another worker"],
  ];
  test.each(faults)("%s", (change, fault) => {
    expect(judgeChanged(change)).toEqual([fault]);
  });

  test("a run without an end has two faults", () => {
    const found = judgeChanged((all) => (all.report.events[2]!.type = "message.delta"));
    expect(found).toEqual([
      "report (a.md): has 0 run.completed, not one",
      "report (a.md): does not end with run.completed",
    ]);
  });

  test("a run of somebody else, and a worker killed with empty hands", () => {
    const found = judge({
      planned: [],
      entries: [makeEntry("report")],
      killed: { runtime_id: "worker-1", held: [] },
    });
    expect(found).toEqual([
      "report: nobody asked for this run",
      "worker-1 held no run when it was killed",
    ]);
  });
});
