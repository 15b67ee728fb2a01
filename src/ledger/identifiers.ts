// The ids, tokens and hashes that the host makes. Ids are a prefix and a UUIDv7, so they sort by
// time; tokens come from the system's random source and leave the host once.

import { hash, randomBytes } from "node:crypto";
import { v7 } from "uuid";
import { limits } from "../contract/limits.js";

export type IdPrefix = "run" | "evt" | "bind" | "steer" | "msg" | "sub" | "host";

export const makeId = (prefix: IdPrefix): string => `${prefix}_${v7()}`;

/** `wanted`, unless it is longer than an id may be: then a made one. */
export const fitId = (wanted: string, prefix: IdPrefix): string =>
  wanted.length <= limits.id_characters || [...wanted].length <= limits.id_characters
    ? wanted
    : makeId(prefix);

export const sha256Hex = (value: string | Buffer): string =>
  hash("sha256", value, "hex");

const claim_token_digits = 32;

/** Of lower-case hex digits, 128 random bits each; all from one draw. */
export function makeClaimTokens(count: number): string[] {
  const digits = randomBytes((count * claim_token_digits) / 2).toString("hex");
  return Array.from({ length: count }, (_, place) =>
    digits.slice(place * claim_token_digits, (place + 1) * claim_token_digits));
}

export interface IssuedToken {
  key_id: string;
  token: string;
  secret_sha256: string;
}

/** A plugin token `rh_KEYID_SECRET`: 64 bits of key id, 256 bits of secret, in hex. */
export function issuePluginToken(): IssuedToken {
  const key_id = randomBytes(8).toString("hex");
  const secret = randomBytes(32).toString("hex");
  return { key_id, token: `rh_${key_id}_${secret}`, secret_sha256: sha256Hex(secret) };
}
