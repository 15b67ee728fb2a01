// The params by which calls name stored state: the caller's run, a scope of it, a key in there.

import { z } from "zod";
import { session } from "../../contract/access.js";
import { id, integer, optional, stateScopes, text } from "../../contract/scalars.js";

export const scopeShape = { run_id: id, scope: z.enum(stateScopes) };

export const keyShape = { ...scopeShape, key: text(255, 1) };

/** The version that the stored value must have; 0: there must be none. */
export const ifVersion = optional(integer(0, Number.MAX_SAFE_INTEGER));

export const readsState = session({
  run: { capability: "state", mode: "live" }, fenced: false,
});

/** A shown claim has to be active. */
export const writesState = session({
  run: { capability: "state", mode: "live" }, fenced: true,
});
