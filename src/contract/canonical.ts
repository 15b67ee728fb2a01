// Canonical JSON (RFC 8785), its size in bytes and its SHA-256: what limits count and idempotency
// compares. The limit of single stored values is judged after the schema and before the run is
// looked at, so it refuses from within a schema's transform: a Refusal leaves the parse as it is.

import { hash } from "node:crypto";
import canonicalize from "canonicalize";
import { Refusal } from "./errors.js";
import { limits } from "./limits.js";

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
  const written = canonicalJson(value);
  return { bytes: Buffer.byteLength(written), fingerprint: hash("sha256", written, "hex") };
}

/** Returns `params` if each named field, measured in canonical JSON, is within 64 KiB. */
export function limitFields<P extends object>(
  params: P,
  fields: readonly (keyof P & string)[],
): P {
  for (const field of fields) limitField(field, params[field]);
  return params;
}

/** Refuses with PAYLOAD_TOO_LARGE field; an absent value has no size. */
export function limitField(
  path: string,
  value: unknown,
  limit_bytes: number = limits.field_bytes,
): void {
  if (value === undefined || value === null) return;
  if (measure(value).bytes <= limit_bytes) return;
  throw new Refusal("PAYLOAD_TOO_LARGE", { reason: "field", path, limit_bytes });
}
