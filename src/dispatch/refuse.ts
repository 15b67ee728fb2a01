// The only place where something thrown becomes JSON. A Refusal becomes its row of the error table
// with its details, made safe to send; everything else is a defect of ours: INTERNAL with an
// incident id, the cause goes to the log alone. Secrets that a refusal repeats are hidden.

import { randomUUID } from "node:crypto";
import { errorTable, Refusal } from "../contract/errors.js";

export interface RpcError {
  code: number;
  message: string;
  data: Record<string, unknown>;
}

export interface Incident {
  incident: string;
  method: string | null;
  cause: unknown;
}

export type Refuser = (thrown: unknown, method: string | null) => RpcError;

const charactersMax = 1000;
const elementsMax = 100;
const depthMax = 8;

export function createRefuser(
  log: (incident: Incident) => void,
  hideSecrets: (text: string) => string,
): Refuser {
  return (thrown, method) => {
    if (thrown instanceof Refusal && thrown.code !== "INTERNAL") {
      return answerRefusal(thrown, hideSecrets);
    }
    const incident = randomUUID();
    log({ incident, method, cause: thrown });
    const { number: code, retryable } = errorTable.INTERNAL;
    return {
      code,
      message: `A defect of the host; its log has the cause under ${incident}.`,
      data: { code: "INTERNAL", retryable, incident },
    };
  };
}

function answerRefusal(refusal: Refusal, hideSecrets: (text: string) => string): RpcError {
  const clean = (text: string): string => cut(hideSecrets(text.slice(0, charactersMax * 2)));
  const { number: code, retryable } = errorTable[refusal.code];
  const own = { code: refusal.code, retryable };
  return {
    code,
    message: clean(refusal.message),
    data: Object.assign({ ...own }, makeSafe(refusal.details, clean, 0), own),
  };
}

/** Plain JSON of bounded size; what JSON cannot hold is left out. */
function makeSafe(value: unknown, clean: (text: string) => string, depth: number): unknown {
  if (typeof value === "string") return clean(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "bigint") return cut(value.toString());
  if (typeof value === "boolean" || value === null) return value;
  if (typeof value !== "object" || depth >= depthMax) return undefined;
  if (Array.isArray(value)) {
    const elements = value.slice(0, elementsMax);
    return elements.map((element) => makeSafe(element, clean, depth + 1) ?? null);
  }
  const members = Object.entries(value)
    .slice(0, elementsMax)
    .map(([name, member]) => [clean(name), makeSafe(member, clean, depth + 1)] as const)
    .filter(([, member]) => member !== undefined);
  return Object.fromEntries(members);
}

/** A surrogate that stands alone, or that the cut leaves alone, is replaced. */
function cut(text: string): string {
  return text.slice(0, charactersMax).replace(/\p{Surrogate}/gu, "\uFFFD");
}
