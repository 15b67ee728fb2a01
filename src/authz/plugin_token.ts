// The form `rh_KEYID_SECRET` of a plugin token and the comparison of its secret, which takes the
// same time for every secret and for key ids that nobody has.

import { createHash, hash, timingSafeEqual } from "node:crypto";

/** KEYID: 16 hex digits. SECRET: 64 hex digits, 256 random bits. Both lower case. */
const tokenForm = /^rh_([0-9a-f]{16})_([0-9a-f]{64})$/;

export interface ShownToken {
  key_id: string;
  secret: string;
}

/** The parts of a token, or null when it has another form. */
export function readPluginToken(plugin_token: string): ShownToken | null {
  const parts = tokenForm.exec(plugin_token);
  return parts === null ? null : { key_id: parts[1]!, secret: parts[2]! };
}

/** SHA-256 over the UTF-8 bytes of a secret as it is written, 64 hex digits. */
export function sha256Hex(secret: string): string {
  return hash("sha256", secret, "hex");
}

/** Whether the secret has this SHA-256; null, for a key id that nobody has, costs the same. */
export function secretMatches(shown: { secret: string; sha256: string | null }): boolean {
  const digest = createHash("sha256").update(shown.secret, "utf8").digest();
  const stored = Buffer.alloc(digest.length);
  const written = shown.sha256 === null ? 0 : stored.write(shown.sha256, "hex");
  return timingSafeEqual(digest, stored) && written === digest.length;
}
