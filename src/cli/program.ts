// What can be typed, and the help that says so. The only file that makes a commander; what the
// commands do stands in the file of their group. Never ends the process: it answers the exit code.

import { Argument, Command, CommanderError } from "commander";
import { callMethod } from "./call.js";
import { printFailure, UsageError } from "./output.js";
import { readPackageVersion } from "./package_facts.js";
import { addPlugin, listPlugins, rotateToken, setEnabled } from "./plugin.js";
import type { PurgeOptions } from "./operate/purge.js";
import type { VerifyOptions } from "./operate/verify.js";
import { collect, example, type Invoke } from "./program_parts.js";
import type { ProtocolOptions } from "./protocol.js";
import { addRunCommands } from "./runs/commands.js";
import { shells, writeCompletion, type Shell } from "./terminal/completion.js";
import { addWatchCommands } from "./watch/commands.js";

type Environment = NodeJS.ProcessEnv;

// These load the whole host, for which the other commands need not wait.
const loadServe = () => import("./serve.js");
const loadDoctor = () => import("./operate/doctor.js");
const loadPurge = () => import("./operate/purge.js");
const loadVerify = () => import("./operate/verify.js");
const loadProtocol = () => import("./protocol.js");

export async function runCommandLine(argv: string[], environment: Environment): Promise<number> {
  let exit = 0;
  const finish = (told: number): void => void (exit = told);
  try {
    await createProgram(environment, finish).parseAsync(argv, { from: "user" });
    return exit;
  } catch (thrown) {
    const isJson = argv.includes("--json");
    if (!(thrown instanceof CommanderError)) return printFailure(thrown, isJson);
    if (thrown.exitCode === 0) return 0;
    // The help of a command that needs a subcommand has been printed.
    const isHelp = thrown.code === "commander.help";
    const said = thrown.message.replace(/^error: /, "").replaceAll("\n", " ");
    const message = isHelp ? "a command is missing" : said;
    return printFailure(new UsageError(`${message} (--help says more)`), isJson);
  }
}

const general = `
Start a host, then talk to it from a second terminal in the same folder:
  $ runhost serve
  $ runhost plugin add acme/bot --permission agent_run:create
  $ runhost call ping

Without --url, the address is RUNHOST_URL, else the one where "runhost serve" would listen.
Without --token, it is RUNHOST_TOKEN, else RUNHOST_ADMIN_TOKEN, else the file that a host leaves
in its data directory, .runhost/admin-token (RUNHOST_DATA_DIR). A token on the command line can
be seen by other users of the machine: prefer the variable.

Exit codes:
  0    done
  1    tried and refused, or it did not come out; stderr says CODE: message
  2    the command line or the configuration is unusable; nothing was tried
  3    NOT_FOUND: what was named is not there
  4    nobody answered: no host, a lost connection, a database that is away; try again later
  5 6 7  "runs tail" only: the run ended failed, cancelled, timeout
  130  stopped by Ctrl-C

With --json, stdout holds one line: the result, or the error {"code","message","data"} as in the
protocol, where data.code is the name of the error (number 0: it is not the host's). The lists of
runs, runtimes, runners and audit, and "runs tail", print a line of JSON for each item instead.
Colour is for terminals; NO_COLOR=1 turns it off. "runhost completion bash" completes these words.`;

function createProgram(environment: Environment, finish: (exit: number) => void): Command {
  const program = new Command("runhost")
    .description("The host that AI-agent plugins plug into.")
    .version(readPackageVersion(), "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .option("--url <url>", "address of the host, such as ws://127.0.0.1:7420/rpc")
    .option("--token <token>", "plugin token or admin token")
    .option("--json", "print one line of JSON instead of words")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => undefined })
    .addHelpText("after", general)
    .exitOverride();
  const invoke: Invoke = (command) =>
    ({ environment, finish, options: command.optsWithGlobals() });
  addHostCommands(program, invoke);
  addOperateCommands(program, invoke);
  addCallCommand(program, invoke);
  addRunCommands(program, invoke);
  addWatchCommands(program, invoke);
  addPluginCommands(program, invoke);
  addCompletionCommand(program);
  addProtocolCommand(program, invoke);
  return program;
}

function addHostCommands(program: Command, invoke: Invoke): void {
  program
    .command("serve")
    .summary("start a host in the foreground")
    .description(
      "Start a host in the foreground. Without DATABASE_URL it brings a Postgres of its own,\n" +
        "with the data in .runhost. It logs JSON lines and stops at Ctrl-C.",
    )
    .addHelpText("after", `
The configuration comes from the environment (DATABASE_URL, RUNHOST_PORT, RUNHOST_DATA_DIR, …)
and from the JSON file that RUNHOST_CONFIG names.

Example:
  $ RUNHOST_PORT=8000 DATABASE_URL=postgres://me@db.example.com/runs runhost serve`)
    .action(async (_options, command: Command) => (await loadServe()).serveHost(invoke(command)));
  program
    .command("migrate")
    .summary("bring the database up to this version")
    .description(
      "Apply the migrations that the database lacks, and say which. A host does the same when\n" +
        "it starts. Without DATABASE_URL: the database in .runhost, while no host runs on it.",
    )
    .addHelpText("after", example("DATABASE_URL=postgres://me@db.example.com/runs runhost migrate"))
    .action(async (_options, command: Command) =>
      (await loadServe()).migrateDatabase(invoke(command)),
    );
}

function addOperateCommands(program: Command, invoke: Invoke): void {
  program
    .command("doctor")
    .summary("say what is fit for a host here and what is not")
    .description(
      "Show the configuration as a host would understand it, and check database, schema, clock,\n" +
        "data directory, token file and port. It changes nothing. Exit code 1 when one fails.",
    )
    .addHelpText("after", example("runhost doctor --json"))
    .action(async (_options, command: Command) =>
      (await loadDoctor()).examine(invoke(command)),
    );
  program
    .command("purge")
    .summary("remove runs that ended long ago")
    .description(
      "Remove the runs that ended longer ago than RUNHOST_RETENTION_DAYS, with all that hangs\n" +
        "on them, from the database itself. A host's sweep does the same. Live runs stay.",
    )
    .option("--dry-run", "say what would go and remove nothing")
    .option("--days <n>", "keep this many days instead; 0 keeps everything")
    .option("--tenant <id>", "of this tenant only (default: all)")
    .addHelpText("after", example("runhost purge --dry-run --days 30"))
    .action(async (options: PurgeOptions, command: Command) =>
      (await loadPurge()).purgeRuns(invoke(command), options),
    );
  program
    .command("verify")
    .summary("judge the ledger by what was promised")
    .description(
      "Judge the promises of the ledger from its rows and from journals of clients: nothing\n" +
        "acknowledged lost, no write of an older claim, one end per run, contents unchanged, no\n" +
        "gap for a reader, no steering lost. Reads only. Exit code 1 when one does not hold.",
    )
    .option("--journal <file...>", "what clients sent and were told, one JSON object a line")
    .option("--rows <n>", "offending rows to show of each kind (default: 10)")
    .addHelpText("after", example("runhost verify --journal client-1.ndjson client-2.ndjson"))
    .action(async (options: VerifyOptions, command: Command) =>
      (await loadVerify()).verifyDatabase(invoke(command), options),
    );
}

function addCallCommand(program: Command, invoke: Invoke): void {
  program
    .command("call <method> [params]")
    .summary("call one method and print its result")
    .description(
      "Call one method and print its result. The params are a JSON object, {} when absent;\n" +
        'with "-" they are read from stdin. "runhost call rpc.discover" describes all methods.',
    )
    .addHelpText("after", example("runhost call run_list '{\"limit\":5}'"))
    .action((method: string, params: string | undefined, _options, command: Command) =>
      callMethod(invoke(command), method, params ?? "{}"),
    );
}

function addPluginCommands(program: Command, invoke: Invoke): void {
  const plugin = program
    .command("plugin")
    .summary("add, list and change plugin identities")
    .description("Add, list and change plugin identities. Needs the permission plugin:admin.")
    .addHelpText("after", example("runhost plugin add acme/bot --permission agent_run:create"));
  const addCommand = (usage: string, summary: string, shown: string): Command =>
    plugin
      .command(usage)
      .description(summary)
      .option("--tenant <id>", "tenant of the identity (default: the caller's)")
      .addHelpText("after", example(`runhost plugin ${shown}`));

  addCommand("add <identity>", "Add an identity AUTHOR/NAME and print its token, this once.",
    'add acme/bot --permission agent_run:create --display-name "Acme Bot"')
    .option("--permission <name>", "permission to give; may be repeated", collect)
    .option("--display-name <name>", "name for people")
    .action((plugin_identity: string, options, command: Command) =>
      addPlugin(invoke(command), {
        plugin_identity,
        tenant_id: options.tenant,
        permissions: options.permission,
        display_name: options.displayName,
      }),
    );
  addCommand("list", "List all identities, oldest first.", "list --json")
    .action((options, command: Command) =>
      listPlugins(invoke(command), { tenant_id: options.tenant }),
    );
  addCommand("rotate <identity>", "Revoke the token and print a new one, this once.",
    "rotate acme/bot")
    .action((plugin_identity: string, options, command: Command) =>
      rotateToken(invoke(command), { plugin_identity, tenant_id: options.tenant }),
    );
  for (const [name, summary] of [
    ["disable", "Close the connections of an identity and refuse its token; its runs stay."],
    ["enable", "Let a disabled identity connect again."],
  ] as const) {
    const enabled = name === "enable";
    addCommand(`${name} <identity>`, summary, `${name} acme/bot`)
      .action((plugin_identity: string, options, command: Command) =>
        setEnabled(invoke(command), { plugin_identity, tenant_id: options.tenant, enabled }),
      );
  }
}

function addCompletionCommand(program: Command): void {
  program
    .command("completion")
    .addArgument(new Argument("<shell>").choices(shells))
    .summary("print a completion script for a shell")
    .description(
      "Print a script that completes commands and options in bash, zsh or fish. It asks no host.",
    )
    .addHelpText("after", `${example("source <(runhost completion bash)")}
  $ runhost completion zsh > "\${fpath[1]}/_runhost"
  $ runhost completion fish > ~/.config/fish/completions/runhost.fish`)
    .action((shell: Shell) => void process.stdout.write(writeCompletion(program, shell)));
}

function addProtocolCommand(program: Command, invoke: Invoke): void {
  program
    .command("protocol")
    .helpGroup("For contributors:")
    .summary("write or check the generated files of protocol/")
    .description("Write the generated files of protocol/, or name those that differ.")
    .option("--write", "write openrpc.json, errors.json, schemas/ and reference.html")
    .option("--check", "exit 1 and name the files that differ")
    .option("--directory <path>", "another folder than protocol/ of this package")
    .addHelpText("after", example("runhost protocol --check"))
    .action(async (options: ProtocolOptions, command: Command) =>
      (await loadProtocol()).syncProtocol(invoke(command), options),
    );
}
