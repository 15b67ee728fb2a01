// What one check of the doctor found, and what to do about it.

export interface Finding {
  check: string;
  status: "ok" | "warn" | "fail";
  found: string;
  /** Present unless all is well. */
  advice?: string;
}

export const ok = (check: string, found: string): Finding => ({ check, status: "ok", found });

export const warn = (check: string, found: string, advice: string): Finding =>
  ({ check, status: "warn", found, advice });

export const fail = (check: string, found: string, advice: string): Finding =>
  ({ check, status: "fail", found, advice });

/** One line; some errors of the system have a code and no message. */
export function describeThrown(thrown: unknown): string {
  const { message, code } = (thrown ?? {}) as { message?: string; code?: string };
  return (message || code || String(thrown)).split("\n", 1)[0]!;
}
