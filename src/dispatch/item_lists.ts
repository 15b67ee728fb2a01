// The list form of a call: the params of several calls of one method in one list, answered item by
// item. Refused as a whole is only what is wrong with the list itself; an item is judged as if it
// had come alone, and what it is refused with stands in its place. Called by the dispatcher.

import { z } from "zod";
import { namedTarget, type AnyAction } from "../actions/action.js";
import type { Issue } from "../contract/errors.js";
import { limits } from "../contract/limits.js";
import { itemError } from "../contract/records.js";
import type { RpcError } from "./refuse.js";

export type ListItem = { result: unknown } | { error: RpcError };

type Params = Readonly<Record<string, unknown>>;

const items_max = limits.list_items;

/** The list of a call in list form, whatever it holds; undefined for a call that stands alone. */
export function listIn(action: AnyAction | undefined, params: Params): unknown {
  return action?.list === undefined ? undefined : params[action.list] ?? undefined;
}

/** The items of a list as it ought to be; none for any other value, which is refused. */
export function itemsOf(list: unknown): readonly unknown[] {
  return Array.isArray(list) && list.length <= items_max ? list : [];
}

/** `beside` is what stands beside the list, less what every method takes. */
export function findListIssues(name: string, list: unknown, beside: Params): Issue[] {
  const message = `must be a list of 1 to ${items_max} items`;
  const wrong = itemsOf(list).length === 0 ? [{ path: name, message }] : [];
  const others = Object.keys(beside)
    .map((path) => ({ path, message: `must not stand beside ${name}` }));
  return [...wrong, ...others];
}

export const isParams = (item: unknown): item is Record<string, unknown> =>
  typeof item === "object" && item !== null && !Array.isArray(item);

/**
 * Starts all items at once, in the order of the list. Where the ledger does not keep that order by
 * itself, an item waits until the one before it on the same run has been answered.
 */
export function answerItems(
  action: AnyAction,
  items: readonly unknown[],
  answerItem: (item: unknown) => Promise<ListItem>,
): Promise<ListItem[]> {
  const last = new Map<string, Promise<ListItem>>();
  const answers = items.map((item) => {
    const run = action.ordered === true || !isParams(item) ? null : namedTarget(item);
    const before = run === null ? undefined : last.get(run);
    const answer = before === undefined ? answerItem(item) : before.then(() => answerItem(item));
    if (run !== null) last.set(run, answer);
    return answer;
  });
  return Promise.all(answers);
}

/** What a call in list form is answered with. */
export const describeAnswers = (action: AnyAction): z.ZodType =>
  z.object({
    items: z.array(z.union([z.object({ result: action.result }), z.object({ error: itemError })])),
  });
