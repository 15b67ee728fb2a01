// What can be typed after `runhost runtimes`, `stats` and `audit`, and the help that says so.

import type { Command } from "commander";
import { addPageOptions, example, type Invoke } from "../program_parts.js";
import { listAudit, type AuditOptions } from "./audit.js";
import { getRuntime, listRuntimes, type RuntimeListOptions } from "./runtimes.js";
import {
  showRunnerStats, showRunStats, showRuntimeStats, type WindowOptions,
} from "./stats.js";

export function addWatchCommands(program: Command, invoke: Invoke): void {
  addRuntimes(program, invoke);
  addStats(program, invoke);
  addPageOptions(program
    .command("audit")
    .summary("list who changed what")
    .description(
      "List the calls of administrators and the host's own transitions, newest first, of the\n" +
        "domains whose permission you hold.",
    )
    .option("--domain <domain>", "agent_run, runtime or plugin")
    .option("--actor <identity>", "by this identity, or by host")
    .option("--action <name>", "of this method or transition")
    .option("--run <run-id>", "about this run")
    .option("--runtime <runtime-id>", "about this runtime")
    .option("--tenant <id>", "of another tenant (runhost/admin)"))
    .addHelpText("after", example("runhost audit --run run_42"))
    .action((options: AuditOptions, command: Command) => listAudit(invoke(command), options));
}

function addRuntimes(program: Command, invoke: Invoke): void {
  const runtimes = program
    .command("runtimes")
    .summary("list and read the processes that claim runs")
    .description("List and read runtimes: your own, or all of them with runtime:admin.")
    .addHelpText("after", example("runhost runtimes list --status online"));
  addPageOptions(runtimes.command("list").description("List runtimes, oldest first.")
    .option("--status <status>", "online, draining, offline or stale"))
    .addHelpText("after", example("runhost runtimes list --json"))
    .action((options: RuntimeListOptions, command: Command) =>
      listRuntimes(invoke(command), options));
  runtimes.command("get <runtime-id>").description("Print one runtime.")
    .addHelpText("after", example("runhost runtimes get worker-1"))
    .action((runtime_id: string, _options, command: Command) =>
      getRuntime(invoke(command), runtime_id));
}

function addStats(program: Command, invoke: Invoke): void {
  const stats = program
    .command("stats")
    .summary("count runs, runners and runtimes")
    .description("Count and time runs and runners (agent_run:admin) and runtimes (runtime:admin).")
    .addHelpText("after", example("runhost stats runs --hours 24"));
  const add = (name: string, description: string): Command =>
    stats.command(name).description(description)
      .addHelpText("after", example(`runhost stats ${name}`));
  const hours = "created in the last so many hours, at most 744 (default: 1)";
  add("runs", "Counts, durations and waits of the runs of a window.")
    .option("--hours <n>", hours)
    .option("--runner <id>", "of this runner, plugin:AUTHOR/NAME/RUNNER")
    .action((options: WindowOptions, command: Command) =>
      showRunStats(invoke(command), options));
  add("runners", "The same for each runner, the busiest first.")
    .option("--hours <n>", hours)
    .option("--limit <n>", "at most so many, up to 100 (default: 50)")
    .action((options: WindowOptions & { limit?: string }, command: Command) =>
      showRunnerStats(invoke(command), options));
  add("runtimes", "How many runtimes there are in each status, and the runs before them.")
    .action((_options, command: Command) => showRuntimeStats(invoke(command)));
}
