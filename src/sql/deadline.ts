// How long anything of the database is waited for, and what it says when it fails.

import { Refusal } from "../contract/errors.js";

export async function withDeadline<T>(
  work: PromiseLike<T>,
  timeout_ms: number,
): Promise<T | "late"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), timeout_ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export interface Connections {
  /** `timeout`: seconds for what is under way. */
  end(how: { timeout: number }): Promise<void>;
}

/** The driver's end() hangs after a lost connection. */
export async function cutOff(sql: Connections): Promise<void> {
  await withDeadline(sql.end({ timeout: 0.1 }).catch(() => undefined), 1000);
}

/** The SQLSTATE or the driver's code; "" without one. */
export function stateOf(thrown: unknown): string {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

export const unavailable = (message: string): Refusal => new Refusal("UNAVAILABLE", {}, message);
