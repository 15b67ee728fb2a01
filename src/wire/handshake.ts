// Who may open a socket: judged before the 101, from the headers alone. Refuses other paths (404),
// pages of other origins and rebound host names (403), unusable tokens (401), who comes too often
// (429), and everybody while the host stops, is full or cannot tell (503). A request without
// credentials is let in without an identity.

import { isIP } from "node:net";
import { Refusal } from "../contract/errors.js";
import type { Identities, Proof } from "./parts.js";

export interface UpgradeRequest {
  path: string;
  host: string | undefined;
  origin: string | undefined;
  authorization: string | undefined;
  /** Where the peer calls from. */
  address: string;
}

export interface HandshakeRules {
  /** The address that the host listens on, as configured. */
  bound_host: string;
  allowed_origins: readonly string[];
  /** The host takes no connection now: it stops, or has as many as it may. */
  isClosed(): boolean;
  identify: Identities["identify"];
}

export type Verdict =
  | { status: 101; proof: Proof | null }
  | { status: 401 | 403 | 404 | 503 }
  | { status: 429; retry_after_ms: number };

export const rpcPath = "/rpc";

/** Rejects only with our own mistakes. */
export async function judgeUpgrade(
  request: UpgradeRequest,
  rules: HandshakeRules,
): Promise<Verdict> {
  if (request.path !== rpcPath) return { status: 404 };
  if (!isExpectedHost(request.host, rules) || !isExpectedOrigin(request, rules)) {
    return { status: 403 };
  }
  if (rules.isClosed()) return { status: 503 };
  if (request.authorization === undefined) return { status: 101, proof: null };
  const shown = /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(request.authorization);
  if (shown === null) return { status: 401 };
  try {
    return { status: 101, proof: await rules.identify(shown[1]!, request.address) };
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    if (thrown.code === "RATE_LIMITED") {
      return { status: 429, retry_after_ms: Number(thrown.details["retry_after_ms"]) };
    }
    return { status: thrown.code === "UNAUTHENTICATED" ? 401 : 503 };
  }
}

/**
 * A page whose own name was made to resolve to loopback (DNS rebinding) sends that name as Host.
 * On other addresses any name may be the operator's; there the origin alone decides.
 */
export function isExpectedHost(
  host: string | undefined,
  rules: Pick<HandshakeRules, "bound_host" | "allowed_origins">,
): boolean {
  if (!isLoopback(rules.bound_host)) return true;
  const name = hostName(host);
  if (name === null) return false;
  return isOwnName(name, rules) || rules.allowed_origins.some((own) => nameOfOrigin(own) === name);
}

/** Clients that are no browser send no Origin. The host's own is the one it was reached under. */
function isExpectedOrigin({ origin, host }: UpgradeRequest, rules: HandshakeRules): boolean {
  if (origin === undefined || rules.allowed_origins.includes(origin.toLowerCase())) return true;
  const name = hostName(host);
  if (name === null || !isOwnName(name, rules)) return false;
  return [`http://${host}`, `https://${host}`].some(
    (own) => new URL(own).origin === origin.toLowerCase(),
  );
}

/** Names that no foreign page can have: addresses, loopback, and the configured name. */
function isOwnName(name: string, { bound_host }: Pick<HandshakeRules, "bound_host">): boolean {
  if (name === bound_host.toLowerCase() || isLoopback(name)) return true;
  return isIP(name) !== 0 && !isLoopback(bound_host);
}

function isLoopback(name: string): boolean {
  return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}

/** The name in a Host header, lower case, without port and brackets; null when it is malformed. */
function hostName(host: string | undefined): string | null {
  const url = `http://${host}`;
  if (host === undefined || !/^[A-Za-z0-9.:[\]_-]+$/.test(host) || !URL.canParse(url)) return null;
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

const nameOfOrigin = (origin: string): string =>
  new URL(origin).hostname.replace(/^\[|\]$/g, "");
