// Who reads interactions and who answers them. A runner reads those of its run; it does not answer
// them through it.

import { outside, read } from "../../contract/access.js";

const readers = {
  run: { capability: "run_get", mode: "persisted" },
  admin: "agent_run:admin",
  creator: true,
} as const;

/** Without a run of the caller's own, no target means every run that is reached. */
export const readsMany = read({ ...readers, target: "optional" });
export const readsOne = read({ ...readers, target: "required" });
export const answers = outside({ admin: "agent_run:admin", owner: false });
