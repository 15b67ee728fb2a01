// One exchange of a method for the page, taken from its fixtures: the one that tells most in little
// room. Names of the fixture become names a reader knows; matchers become a value that they match.

import { fixturesOf, type Fixture, type FixtureShelf, type Json, type Step } from "./fixtures.js";

export interface Example {
  fixture: Fixture;
  /** The identity that calls, and what it holds; undefined before login. */
  caller: string | undefined;
  permissions: readonly string[];
  params: Json;
  answer: { result?: Json; error?: Json };
}

type Variables = Map<string, Json>;
type Outcome = "result" | "error";

const absent = Symbol("absent");
const instant = 1_767_225_600;
const uuid = "019b76da-a800-7c10-9b3e-5f1d2c3b4a59";

/** By the last name of a path; ids that the host makes, secrets, instants. */
const samples: Readonly<Record<string, Json>> = {
  claim_token: "5f0c2b7d9e1a4836b2c4d6e8f0a1b3c5",
  token: "rh_4kQ9ZtW2_…",
  key_id: "4kQ9ZtW2",
  run_id: `run_${uuid}`,
  event_id: `evt_${uuid}`,
  binding_id: `bind_${uuid}`,
  steering_id: `steer_${uuid}`,
  transcript_id: `msg_${uuid}`,
  subscription_id: `sub_${uuid}`,
  cursor: "42",
  next_cursor: "42",
  time: instant,
  time_ms: instant * 1000,
  max_message_bytes: 1_114_112,
  max_batch: 100,
  max_in_flight: 256,
};

const byType: Readonly<Record<string, Json>> = {
  string: "…", number: 1, integer: 1, boolean: true, object: {}, array: [], null: null,
};

/** Undefined when no fixture has such an exchange. */
export function findExample(
  shelf: FixtureShelf,
  method: string,
  outcome: Outcome,
): Example | undefined {
  const found = fixturesOf(shelf, method).flatMap((fixture) =>
    fixture.steps.flatMap((step, at) => {
      const { send, expect } = step;
      const fits = send?.method === method && !send.notification && expect?.[outcome] !== undefined;
      return fits ? [{ fixture, step, at, worth: judge(fixture, step, outcome) }] : [];
    }),
  );
  const best = found.reduce<(typeof found)[number] | undefined>(
    (so_far, one) => (so_far === undefined || one.worth > so_far.worth ? one : so_far),
    undefined,
  );
  return best && tell(shelf, best.fixture, best.step, best.at);
}

/** Many params and a telling answer are worth much; makers, long texts and special hosts little. */
function judge(fixture: Fixture, { send, expect }: Step, outcome: Outcome): number {
  const answer = expect?.[outcome];
  const text = JSON.stringify([send?.params, answer]);
  const makers = text.match(/\$(repeat|deep|list|not|has|length|absent)/g)?.length ?? 0;
  const dull = /INVALID_PARAMS|UNAUTHENTICATED|permission_missing/.test(text) ? 6 : 0;
  const told = Math.min(Object.keys(send?.params ?? {}).length, 8)
    + Math.min(countLeaves(answer), 14);
  return told - 4 * makers - dull - Math.max(0, text.length - 900) / 60
    - fixture.steps.length / 4 - 5 * (fixture.needs?.length ?? 0);
}

function countLeaves(value: Json): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, member) => sum + countLeaves(member), 0);
}

function tell(shelf: FixtureShelf, fixture: Fixture, step: Step, at: number): Example {
  const identities = new Map<string, readonly string[]>([["admin", ["*"]], ["nobody", []]]);
  const variables: Variables = new Map<string, Json>([
    ["suffix", "7f3a"], ["admin", "runhost/admin"], ["admin.token", samples["token"]],
    ["now", instant],
  ]);
  buildWorld(shelf, fixture.world, variables, identities);
  define(variables, fixture.let);
  for (const earlier of fixture.steps.slice(0, at)) keep(variables, earlier);
  const as = step.as ?? fixture.as;
  const { result, error } = step.expect ?? {};
  return {
    fixture,
    caller: variables.get(as),
    permissions: identities.get(as) ?? [],
    params: fill(step.send?.params ?? {}, variables, ""),
    answer: fill(error === undefined ? { result } : { error }, variables, ""),
  };
}

function buildWorld(
  shelf: FixtureShelf,
  name: string,
  variables: Variables,
  identities: Map<string, readonly string[]>,
): void {
  const world = shelf.worlds.get(name);
  if (world === undefined) throw new Error(`there is no world ${name}`);
  if (world.after !== undefined) buildWorld(shelf, world.after, variables, identities);
  for (const [who, { identity, permissions }] of Object.entries(world.identities ?? {})) {
    variables.set(who, identity ?? `acme/${who}`).set(`${who}.token`, samples["token"]);
    identities.set(who, permissions);
  }
  define(variables, world.let);
  for (const step of world.steps ?? []) keep(variables, step);
}

function define(variables: Variables, values: Record<string, Json> = {}): void {
  for (const [name, value] of Object.entries(values)) {
    variables.set(name, fill(value, variables, name));
  }
}

/** What a step saves has no value here; one that fits its name stands for it. */
function keep(variables: Variables, { save = {} }: Step): void {
  for (const [name, path] of Object.entries(save)) {
    variables.set(name, sampleOf(path.split(".").at(-1) ?? name, "string"));
  }
}

function sampleOf(key: string, type: string): Json {
  if (key in samples) return samples[key];
  if (key.endsWith("_at_ms")) return instant * 1000;
  if (key.endsWith("_at")) return instant;
  return byType[type] ?? "…";
}

function fill(value: Json, variables: Variables, key: string): Json {
  if (typeof value === "string") return fillText(value, variables);
  if (Array.isArray(value)) return value.map((member) => fill(member, variables, key));
  if (typeof value !== "object" || value === null) return value;
  const [name, ...more] = Object.keys(value);
  if (name?.startsWith("$") && !name.startsWith("${") && more.length === 0) {
    return become(name, value[name], variables, key);
  }
  const members = Object.entries(value)
    .map(([own, member]) => [fillText(own, variables), fill(member, variables, own)])
    .filter(([, member]) => member !== absent);
  return Object.fromEntries(members);
}

/** What a maker makes, or something that a matcher matches. */
function become(name: string, argument: Json, variables: Variables, key: string): Json {
  switch (name) {
    case "$absent":
    case "$not":
      return absent;
    case "$type":
      return sampleOf(key, argument);
    case "$match":
      return sampleOf(key, "string");
    case "$between":
      return key.endsWith("_at") || key.endsWith("_ms") ? sampleOf(key, "integer")
        : fill(argument[0], variables, key);
    case "$has":
    case "$exact":
      return fill(argument, variables, key);
    case "$now":
      return instant + argument;
    case "$repeat":
      return `${fill(argument[0], variables, key)}…`;
    default:
      return "…";
  }
}

function fillText(text: string, variables: Variables): Json {
  const whole = /^\$\{([\w.]+)\}$/.exec(text)?.[1];
  if (whole !== undefined) return variables.get(whole) ?? sampleOf(whole, "string");
  return text.replace(/\$\{([\w.]+)\}/g, (_, name) =>
    String(variables.get(name) ?? sampleOf(name, "string")));
}
