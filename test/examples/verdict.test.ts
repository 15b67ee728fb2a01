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
    report: ["tool.call.started", "tool.call.completed", "run.completed"],
    cancel_queued: [],
    cancel_running: ["tool.call.started"],
    kill: ["tool.call.started", "tool.call.started", "run.completed"],
  }[act];
  const claims = { report: 1, cancel_queued: 0, cancel_running: 1, kill: 2 }[act];
  return {
    run: {
      run_id: act,
      status: is_cancelled ? "cancelled" : "completed",
      status_reason: null,
      claim_epoch: claims,
      dispatch_attempts: claims,
      last_sequence: types.length,
      cancel_requested_at: is_cancelled ? 0 : null,
    } as Entry["run"],
    events: types.map((type, index) => {
      const claim_epoch = index === 0 ? 1 : claims;
      const data = type === "run.completed" ? { message: { role: "assistant" } } : {};
      const source = `runtime:worker-${claim_epoch}`;
      return { sequence: index + 1, type, data, claim_epoch, source } as Entry["events"][number];
    }),
  };
}

/** A demo in which all went well, changed in one place. */
function judgeChanged(change: (entries: Record<Act, Entry>) => void): string[] {
  const entries = Object.fromEntries(acts.map((act) => [act, makeEntry(act)]));
  change(entries as Record<Act, Entry>);
  return judge({
    planned: acts.map((act) => ({ run_id: act, path: "a.md", act })),
    entries: Object.values(entries),
    killed: { runtime_id: "worker-1", run_id: "kill", claim_epoch: 1 },
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
    [(all) => (all.report.events[2]!.data = {}), "report (a.md): holds 0 reports, not one"],
    [(all) => (all.report.events[1]!.data = { message: {} }),
      "report (a.md): holds 2 reports, not one"],
    [(all) => (all.cancel_queued.run.claim_epoch = 1),
      "cancel_queued (a.md): was worked on, although it was cancelled while queued"],
    [(all) => (all.cancel_running.run.cancel_requested_at = null),
      "cancel_running (a.md): nobody asked for its cancel"],
    [(all) => (all.cancel_running.events[0]!.type = "run.completed"),
      "cancel_running (a.md): is cancelled and yet has a run.completed"],
    [(all) => (all.kill.run.dispatch_attempts = 1),
      "kill: was not claimed again after worker-1 died"],
    [(all) => (all.kill.events[2]!.claim_epoch = 1), "kill: was not ended by another worker"],
    [(all) => (all.kill.events[2]!.source = "runtime:worker-1"),
      "kill: was not ended by another worker"],
    [(all) => (all.kill.events[0]!.source = "runtime:worker-2"),
      "kill: holds nothing of worker-1, which was killed at it"],
    [(all) => (all.kill.events[0]!.claim_epoch = 2),
      "kill: holds nothing of worker-1, which was killed at it"],
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

  test("a run of somebody else", () => {
    const killed = { runtime_id: "worker-1", run_id: "kill", claim_epoch: 1 };
    const found = judge({ planned: [], entries: [makeEntry("report")], killed });
    expect(found).toEqual(["report: nobody asked for this run"]);
  });
});
