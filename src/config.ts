// One frozen Config from the environment first, then the JSON file that RUNHOST_CONFIG names.
// The file's keys are `admin_plugins` and the lower-case variables without RUNHOST_ (database_url,
// data_dir, host, port, ...), typed as JSON. Whatever is unknown, of a wrong type or unusable is
// refused with a ConfigError: one line that names the key and never shows a value.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { adminPlugins } from "./config_plugins.js";
import { limits } from "./contract/limits.js";

export type { AdminPlugin } from "./config_plugins.js";

export class ConfigError extends Error {
  override name = "ConfigError";
}

type Settings = Readonly<Omit<z.output<typeof settings>, "database_url" | "admin_token">>;

export interface Config extends Settings {
  /** Null: the host starts an embedded Postgres. */
  readonly database_url: string | null;
  /** Null: a random one in the data directory. */
  readonly admin_token: string | null;
  readonly bounds: Readonly<Bounds>;
}

/** What no variable changes; tests hand in shorter ones. */
export interface Bounds {
  /** Until a connection has proved an identity, and how often it may fail. */
  connect_seconds: number;
  connect_failures: number;
  /** Until the upgrade request must have arrived; below the 10 s that a peer may idle unproved. */
  upgrade_seconds: number;
  /** Sockets that have not become connections, beside those of max_connections. */
  half_open_max: number;
  ping_seconds: number;
  ping_misses: number;
  /** Drain: requests in flight end by themselves, then waits are cut, then sockets close. */
  drain_seconds: number;
  drain_wait_seconds: number;
  /** A peer whose close frame does not come is cut after this. */
  close_seconds: number;
  /** Waiting answers of one connection: reading pauses at the first mark, the second closes. */
  outgoing_pause_bytes: number;
  outgoing_bytes_max: number;
  /** A paused peer that takes nothing for this long is closed. */
  stall_seconds: number;
  /** Runs, and identities, that one connection is remembered for. */
  remembered_per_connection: number;
  pool_size: number;
  /** How long a database that is still starting is waited for. */
  database_start_seconds: number;
  /** Looks for what other hosts have taken: cancel requests, steering. */
  news_poll_ms: number;
  feed: Readonly<FeedBounds>;
  /** Between one batch of hints to the other hosts and the next. */
  hints_pause_ms: number;
  hints_hello_ms: number;
}

export interface FeedBounds {
  /** A connection on which this much waits to leave is sent no more events. */
  waiting_bytes_max: number;
  /** One that has not brought it below half by then loses its subscriptions. */
  slow_ms: number;
  /** What a run's tail keeps in memory. */
  ring_events: number;
  ring_characters: number;
  /** Looks for events that no hint told of. */
  poll_ms: number;
  /** How often it is asked whether subscriptions are still admitted. */
  admission_ms: number;
  /** Reads of the feed at one moment; well below pool_size, so that calls do not wait for it. */
  reads_max: number;
}

export const bounds: Readonly<Bounds> = Object.freeze({
  connect_seconds: limits.connect_seconds,
  connect_failures: limits.connect_failures,
  upgrade_seconds: 8,
  half_open_max: 10_000,
  ping_seconds: 20,
  ping_misses: 2,
  drain_seconds: 10,
  drain_wait_seconds: 8,
  close_seconds: 1,
  outgoing_pause_bytes: 1_048_576,
  outgoing_bytes_max: 67_108_864,
  stall_seconds: 40,
  remembered_per_connection: 4096,
  pool_size: 10,
  database_start_seconds: 10,
  news_poll_ms: 1000,
  feed: Object.freeze({
    waiting_bytes_max: 262_144,
    slow_ms: 5000,
    ring_events: 500,
    ring_characters: 4_194_304,
    poll_ms: 900,
    admission_ms: 2000,
    reads_max: 3,
  }),
  hints_pause_ms: 5,
  hints_hello_ms: 5000,
});

const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};

const line = (pattern: RegExp, error: string) => z.string({ error }).regex(pattern, { error });

const databaseError = "must be a postgres:// address";
/** The driver takes several hosts, `a:5432,b:5432`; only the first is checked as a URL. */
const databaseUrl = line(/^postgres(ql)?:\/\/\S+$/, databaseError).refine(
  (url) => URL.canParse(url.replace(/,[^/?#]*/, "")),
  { error: databaseError },
);

const originsError = "must list origins such as https://app.example.com, without a path";
const origins = z
  .union([z.string(), z.array(z.string())], { error: originsError })
  .transform((given) => (typeof given === "string" ? splitList(given) : given).map(readOrigin))
  .refine((given): given is string[] => !given.includes(null), { error: originsError })
  .transform((given) => [...new Set(given)]);

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

const texts = {
  database_url: databaseUrl.optional(),
  data_dir: line(/^[^\0]+$/, "must be a path").default(".runhost"),
  host: line(/^[A-Za-z0-9.:_%-]{1,255}$/, "must be an address or a host name").default("127.0.0.1"),
  admin_token: line(/^[\x21-\x7e]{1,512}$/, "must be 1 to 512 visible ASCII characters").optional(),
  allowed_origins: origins.default([]),
  log_level: z.enum(logLevels, { error: `must be one of ${logLevels.join(", ")}` }).default("info"),
};

const numbers = {
  port: whole(0, 65_535).default(7420),
  max_message_bytes: whole(256, 268_435_456).default(1_114_112),
  max_batch: whole(1, 10_000).default(100),
  max_in_flight: whole(1, 65_536).default(256),
  max_connections: whole(1, 1_000_000).default(20_000),
  calls_per_second: whole(0, 10_000_000).default(100_000),
  connects_per_minute: whole(0, 10_000_000).default(60_000),
  login_failures_per_minute: whole(0, 1_000_000).default(600),
  reconcile_seconds: whole(0, 86_400).default(5),
  retention_days: whole(0, 36_500).default(90),
  statement_timeout_ms: whole(10, 600_000).default(5000),
  snapshot_read_days: whole(0, 3650).default(7),
};

const booleans = {
  prepare: z.boolean({ error: "must be true or false" }).default(true),
};

const variables = { ...texts, ...numbers, ...booleans };
const settings = z.strictObject({ ...variables, admin_plugins: adminPlugins.default([]) });

const prefix = "RUNHOST_";
/** Read by the command line and by plugins; a host started from the same shell ignores them. */
const clientVariables: readonly string[] = ["RUNHOST_URL", "RUNHOST_TOKEN"];
const fileVariable = `${prefix}CONFIG`;
/** Of a key of the file, the variable. */
export const variableOf = (key: string): string =>
  key === "database_url" ? "DATABASE_URL" : prefix + key.toUpperCase();
const keyOf: ReadonlyMap<string, string> = new Map(
  Object.keys(variables).map((key) => [variableOf(key), key]),
);

/** Reads and checks everything; `overrides` shorten the fixed bounds in tests. */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
  overrides: Partial<Bounds> = {},
): Config {
  const given: Record<string, unknown> = {};
  const named: Record<string, string> = {};
  const path = environment[fileVariable];
  for (const [key, value] of path === undefined ? [] : Object.entries(readFile(path))) {
    if (!Object.hasOwn(settings.shape, key)) throw new ConfigError(`${show(key)}: unknown key`);
    given[key] = value;
    named[key] = key;
  }
  for (const [variable, text] of Object.entries(environment)) {
    const key = keyOf.get(variable);
    if (text === undefined || variable === fileVariable) continue;
    if (key !== undefined) {
      given[key] = readText(key, text);
      named[key] = variable;
    } else if (variable.startsWith(prefix) && !clientVariables.includes(variable)) {
      throw new ConfigError(`${show(variable)}: unknown variable`);
    }
  }
  const checked = settings.safeParse(given);
  if (!checked.success) throw describeIssue(checked.error, named);
  const { data } = checked;
  return freezeDeep({
    ...data,
    data_dir: resolve(data.data_dir),
    database_url: data.database_url ?? null,
    admin_token: data.admin_token ?? null,
    bounds: { ...bounds, ...overrides },
  });
}

function readFile(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === undefined ? "is not JSON" : `cannot be read (${code})`;
    throw new ConfigError(`RUNHOST_CONFIG: ${show(path)} ${why}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError(`RUNHOST_CONFIG: ${show(path)} must hold one JSON object`);
  }
  return value as Record<string, unknown>;
}

/** Variables are text; where a number or a boolean is due, one that is spelled out is taken. */
function readText(key: string, text: string): unknown {
  if (Object.hasOwn(numbers, key) && /^-?[0-9]{1,15}$/.test(text)) return Number(text);
  if (Object.hasOwn(booleans, key) && /^(true|false)$/.test(text)) return text === "true";
  return text;
}

function describeIssue(error: z.ZodError, named: Record<string, string>): ConfigError {
  const issue = error.issues[0]!;
  const [key, ...rest] = issue.path.map(String);
  const where = [named[key!] ?? key, ...rest.map(show)].join(".");
  return new ConfigError(`${where}: ${issue.message}`);
}

const splitList = (text: string): string[] =>
  text.split(",").map((part) => part.trim()).filter((part) => part !== "");

/** As browsers write it in the Origin header; null for what is none. */
function readOrigin(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { origin, protocol, host, pathname, search, hash, username, password } = new URL(text);
  if (host === "" || search + hash + username + password !== "") return null;
  if (pathname !== "" && pathname !== "/") return null;
  return origin === "null" ? `${protocol}//${host}` : origin;
}

/** One line, whatever the key holds. */
const show = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);

function freezeDeep<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) freezeDeep(inner);
  }
  return Object.freeze(value);
}
