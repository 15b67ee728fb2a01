// Every figure, in the order in which they are played.

import { r1 } from "./r1.js";
import { r2 } from "./r2.js";
import { r3 } from "./r3.js";
import { r4 } from "./r4.js";
import { r5 } from "./r5.js";
import { r6 } from "./r6.js";
import { r7 } from "./r7.js";
import { r8 } from "./r8.js";
import { r9 } from "./r9.js";
import { r10 } from "./r10.js";
import { r12 } from "./r12.js";

/** @type {readonly import("../chaos.js").Figure[]} */
export const figures = [r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r12];
