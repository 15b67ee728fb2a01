// Rules of the house that a reader cannot keep by attention alone: names, unsafe SQL, minted grants,
// module state, words that mark unfinished work.

import { describe, expect, test } from "vitest";
import { actionNames } from "../../src/contract/action_names.js";
import { readTree } from "./source.js";

const source = readTree("src", /\.ts$/);

function findLines(pattern: RegExp, except: (path: string) => boolean = () => false): string[] {
  return source.filter(({ path }) => !except(path)).flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [])));
}

describe("habits", () => {
  test("action names are pinned", () => {
    expect([...actionNames].sort()).toEqual([
      "audit_page", "event_get", "event_page", "event_publish", "history_page", "history_search",
      "interaction_cancel", "interaction_get", "interaction_list", "interaction_submit", "ping",
      "plugin_connect", "plugin_list", "plugin_register", "plugin_rotate_token",
      "plugin_set_enabled", "prompt_get", "rpc.discover", "run_append_result", "run_cancel",
      "run_claim", "run_create", "run_emit_result", "run_events_page", "run_explain", "run_finalize",
      "run_get", "run_list", "run_release_claim", "run_renew_claim", "run_retry", "run_stats",
      "run_subscribe", "run_unsubscribe", "run_wait", "runner_list", "runner_register",
      "runner_stats", "runtime_deregister", "runtime_heartbeat", "runtime_list",
      "runtime_reconcile", "runtime_register", "runtime_stats", "state_delete", "state_get",
      "state_list", "state_set", "steering_ack", "steering_pull",
    ]);
  });

  test("every action has a file of its name, and each family a register", () => {
    const paths = source.map(({ path }) => path);
    const missing = actionNames.filter((name) =>
      !paths.some((path) => path.startsWith("src/actions/") && path.endsWith(`/${name.replaceAll(".", "_")}.ts`)));
    expect(missing).toEqual([]);
    const families = new Set(paths.flatMap((path) => path.match(/^src\/actions\/\w+(?=\/)/) ?? []));
    expect([...families].filter((family) => !paths.includes(`${family}/register.ts`))).toEqual([]);
  });

  test("files are snake_case and no room is for everything", () => {
    const wrong = source.map(({ path }) => path).filter((path) =>
      !/^[a-z0-9_/]+\.ts$/.test(path)
      || /(^|[/_])(utils?|helpers?|common|types|manager|service|base|impl)(_|\.|\/)/.test(path));
    expect(wrong).toEqual([]);
  });

  test("a file opens with what it promises", () => {
    const silent = source.filter(({ text }) => !/^(#!.*\n)?(\/\/|\/\*\*)/.test(text));
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  test("unsafe SQL stands in migrate only", () => {
    expect(findLines(/\.unsafe\(/, (path) => path === "src/sql/migrate.ts")).toEqual([]);
  });

  test("transactions and reserved connections stand in the migration door only", () => {
    expect(findLines(/\b(sql|pool|tx)\.(begin|reserve)\(/, (path) => path === "src/sql/database.ts")).toEqual([]);
  });

  test("grants are minted in authz/grant.ts only", () => {
    expect(findLines(/\bas (unknown as )?Grant</, (path) => path === "src/authz/grant.ts")).toEqual([]);
  });

  test("nothing remembers at module level", () => {
    expect(findLines(/^(export )?let |^(export )?const \w+( *:[^=]+)? = new (Map|Set|WeakMap)\(\)/)).toEqual([]);
  });

  test("no word marks unfinished work", () => {
    expect(findLines(/\b(todo|fixme|xxx|hack|not implemented|stub|for now|simplified)\b/i)).toEqual([]);
  });

  test("console belongs to the command line", () => {
    expect(findLines(/\bconsole\./, (path) => path.startsWith("src/cli/"))).toEqual([]);
  });
});
