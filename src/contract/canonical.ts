// Canonical JSON (RFC 8785), its size in bytes and its SHA-256: what limits count and idempotency
// compares.

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

export interface Canonical {
  bytes: number;
  /** SHA-256 over the UTF-8 bytes, hex. */
  fingerprint: string;
}

export function canonicalJson(value: unknown): string {
  const written = (canonicalize as unknown as (v: unknown) => string | undefined)(value);
  if (written === undefined) throw new Error("canonicalJson was given a value that is not JSON");
  return written;
}

export function measure(value: unknown): Canonical {
  const written = Buffer.from(canonicalJson(value), "utf8");
  return {
    bytes: written.length,
    fingerprint: createHash("sha256").update(written).digest("hex"),
  };
}
