// The size limit of single stored values. It is judged after the schema and before the run is
// looked at, so it refuses from within a schema's transform: a Refusal leaves the parse as it is.

import { measure } from "./canonical.js";
import { Refusal } from "./errors.js";
import { limits } from "./limits.js";

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
