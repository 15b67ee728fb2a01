// Which module measures which figure. Each answers with one or more rows.

import { measureAppends, measureOneAppend } from "./appends.js";
import { measureCreates } from "./create.js";
import { measureFanOut } from "./fanout.js";
import { measureClaimsBesideFinished } from "./finished.js";
import { measureIdle } from "./idle.js";
import { measureLifecycles } from "./lifecycle.js";
import { measurePages } from "./pages.js";
import { measurePickUp } from "./pickup.js";
import { measureBatchedTakes, measureTakes } from "./take.js";

/** @type {Record<string, (bench: import("../bench.js").Bench) => Promise<import("../rows.js").Row[]>>} */
export const figures = {
  P1: measureAppends,
  P2: measureLifecycles,
  P3: measureTakes,
  P4: measureBatchedTakes,
  P5: measureCreates,
  P6: measurePickUp,
  P7: measureClaimsBesideFinished,
  P8: measureOneAppend,
  P9: measureIdle,
  P10: measurePages,
  P11: measureFanOut,
};
