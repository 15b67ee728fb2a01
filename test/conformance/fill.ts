// Fills variables and makers of fixtures in: `${name}` in strings, and the objects $repeat, $list,
// $deep and $now of protocol/README.md. A variable that nobody set is a mistake of the fixture.

import type { Json } from "./link.js";

export type Variables = Map<string, Json>;

const makers: Record<string, (argument: Json, variables: Variables) => Json> = {
  $repeat: ([text, times]) => String(text).repeat(times),
  $list: ([length, element], variables) =>
    Array.from({ length }, (_, index) =>
      fill(element, new Map([...variables, ["index", index]])),
    ),
  $deep: (levels) => JSON.parse(`${'{"d":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`),
  $now: (seconds, variables) => readVariable("now", variables) + seconds,
};

export function fill(value: Json, variables: Variables): Json {
  if (typeof value === "string") return fillText(value, variables);
  if (Array.isArray(value)) return value.map((member) => fill(member, variables));
  if (typeof value !== "object" || value === null) return value;
  const [name, ...others] = Object.keys(value);
  const maker = others.length === 0 && name !== undefined ? makers[name] : undefined;
  if (maker) {
    // The element of a list is filled once for each index, not before.
    const argument = name === "$list" ? value[name] : fill(value[name!], variables);
    return maker(argument, variables);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      fillText(key, variables), fill(member, variables),
    ]),
  );
}

function fillText(text: string, variables: Variables): Json {
  const whole = /^\$\{([\w.]+)\}$/.exec(text);
  if (whole) return readVariable(whole[1]!, variables);
  return text.replace(/\$\{([\w.]+)\}/g, (_, name) => String(readVariable(name, variables)));
}

function readVariable(name: string, variables: Variables): Json {
  if (!variables.has(name)) throw new Error(`the variable ${name} is not set`);
  return variables.get(name);
}

/** The value at a dotted path, such as `result.items.0.run_id`. */
export function readPath(value: Json, path: string): Json {
  let found = value;
  for (const part of path.split(".")) found = found?.[part];
  if (found === undefined) throw new Error(`the answer has nothing at ${path}`);
  return found;
}
