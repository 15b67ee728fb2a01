// `runhost completion`: a script for bash, zsh or fish that completes commands and options, written
// from the commands themselves. It asks no host and needs no runhost to run.

/** One command as the scripts see it; the path of `runhost runs list` is /runs/list. */
interface Place {
  path: string;
  words: { name: string; about: string }[];
}

/** What the walk needs to know of a command; commander's Command has it. */
export interface Walked {
  name(): string;
  summary(): string;
  description(): string;
  readonly commands: readonly Walked[];
  readonly registeredArguments: readonly { argChoices?: readonly string[] | undefined }[];
  readonly options: readonly { long?: string | undefined; description: string }[];
}

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

export function writeCompletion(program: Walked, shell: Shell): string {
  const places = walk(program, "", program.options);
  return { bash: writeBash, zsh: writeZsh, fish: writeFish }[shell](places);
}

function walk(command: Walked, path: string, general: Walked["options"]): Place[] {
  const options = path === "" ? general : [...command.options, ...general];
  const flags = options.flatMap(({ long, description }) =>
    long === undefined || long === "--version" ? [] : [{ name: long, about: description }]);
  const below = command.commands.map((one) =>
    ({ name: one.name(), about: firstLine(one.summary() || one.description()) }));
  const choices = command.registeredArguments.flatMap(({ argChoices }) =>
    (argChoices ?? []).map((name) => ({ name, about: command.name() })));
  const words = [...below, ...choices, ...flags, { name: "--help", about: "print this help" }];
  return [{ path, words }, ...command.commands.flatMap((one) =>
    walk(one, `${path}/${one.name()}`, general))];
}

const firstLine = (text: string): string => text.split("\n", 1)[0]!;
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const knownPaths = (places: Place[], separator: string): string =>
  places.flatMap(({ path }) => (path === "" ? [] : [path])).join(separator);

const writeBash = (places: Place[]): string => `# runhost completion for bash
_runhost() {
  local path= word words= current="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path/$word" in
      ${knownPaths(places, "|")}) path="$path/$word" ;;
    esac
  done
  case "$path" in
${places.map(({ path, words }) =>
    `    ${quote(path)}) words=${quote(words.map(({ name }) => name).join(" "))} ;;`).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _runhost runhost
`;

const writeZsh = (places: Place[]): string => `#compdef runhost
# runhost completion for zsh
_runhost() {
  local place= word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$place/$word" in
      ${knownPaths(places, "|")}) place="$place/$word" ;;
    esac
  done
  case "$place" in
${places.map(({ path, words }) => `    ${quote(path)}) found=(${words.map(({ name, about }) =>
    quote(`${name}:${about.replaceAll(":", "\\:")}`)).join(" ")}) ;;`).join("\n")}
  esac
  _describe runhost found || _files
}
compdef _runhost runhost
`;

const writeFish = (places: Place[]): string => `# runhost completion for fish
function __runhost_at
  set -l place ""
  for word in (commandline -opc)[2..-1]
    switch "$place/$word"
      case ${knownPaths(places, " ")}
        set place "$place/$word"
    end
  end
  test "$place" = "$argv[1]"
end
${places.flatMap(({ path, words }) => words.map(({ name, about }) => {
    const word = name.startsWith("--") ? `-l ${name.slice(2)}` : `-f -a ${name}`;
    return `complete -c runhost -n ${quoteFish(`__runhost_at "${path}"`)} ${word} -d ${
      quoteFish(about)}`;
  })).join("\n")}
`;

const quoteFish = (text: string): string =>
  `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
