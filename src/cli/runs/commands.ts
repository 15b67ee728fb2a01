// What can be typed after `runhost runs`, and the help that says so.

import type { Command } from "commander";
import { addPageOptions, collect, example, type Invoke } from "../program_parts.js";
import { listRuns, type RunListOptions } from "./list.js";
import { cancelRun, explainRun, getRun, retryRun } from "./one.js";
import { tailRun, type TailOptions } from "./tail.js";

export function addRunCommands(program: Command, invoke: Invoke): void {
  const runs = program
    .command("runs")
    .summary("list, read, follow, cancel, retry and explain runs")
    .description(
      "List, read, follow, cancel, retry and explain runs: all of them with agent_run:admin,\n" +
        "those that you created with agent_run:create; one of your own plugin by its id.",
    )
    .addHelpText("after", example("runhost runs list --status failed --limit 10"));
  const add = (usage: string, description: string, shown: string): Command =>
    runs.command(usage).description(description)
      .addHelpText("after", example(`runhost runs ${shown}`));

  addPageOptions(add("list", "List runs, newest first.", "list --status failed,timeout --json")
    .option("--status <status>", "of these statuses; commas, or repeated", collect)
    .option("--runner <id>", "of this runner, AUTHOR/NAME/RUNNER")
    .option("--conversation <id>", "of this conversation")
    .option("--workspace <id>", "of this workspace"))
    .action((options: RunListOptions, command: Command) => listRuns(invoke(command), options));
  add("get <run-id>", "Print one run.", "get run_42 --input")
    .option("--input", "with its input; with --json also event, binding and delivery")
    .action((run_id: string, options: { input?: boolean }, command: Command) =>
      getRun(invoke(command), run_id, options));
  addTail(add, invoke);
  add("cancel <run-id>", "End a run that nobody executes; ask the executor of any other to end it.",
    'cancel run_42 --reason "not needed any more"')
    .option("--reason <text>", "why, for whoever executes or reads it")
    .action((run_id: string, options: { reason?: string }, command: Command) =>
      cancelRun(invoke(command), run_id, options));
  add("retry <run-id>", "Make a new run from the request of one that has ended.", "retry run_42")
    .option("--id <run-id>", "id of the new run; a repeat with it makes no second one")
    .option("--timeout <seconds>", "deadline of the new run, from now")
    .action((run_id: string, options: { id?: string; timeout?: string }, command: Command) =>
      retryRun(invoke(command), run_id, options));
  add("explain <run-id>", "Say why a run is not moving.", "explain run_42")
    .action((run_id: string, _options, command: Command) =>
      explainRun(invoke(command), run_id));
}

function addTail(
  add: (usage: string, description: string, shown: string) => Command,
  invoke: Invoke,
): void {
  add("tail <run-id>",
    "Print every event of a run, past and to come, until it has ended. With --json a line is\n" +
      '{"event"}, and the last one {"run"}. Ctrl-C stops it; the run goes on.',
    "tail run_42 --after 12")
    .addHelpText("after", `
Exit codes: 0 completed, 5 failed, 6 cancelled, 7 timeout, 130 stopped by Ctrl-C; else as always.`)
    .summary("follow the events of a run until it ends")
    .option("--after <sequence>", "only what comes after this event")
    .action((run_id: string, options: TailOptions, command: Command) =>
      tailRun(invoke(command), run_id, options));
}
