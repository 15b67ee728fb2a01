// The ids of steering items that a call confirms. One that is named twice counts once.

import { z } from "zod";
import { limits } from "../../contract/limits.js";
import { id } from "../../contract/scalars.js";

export const steeringIds = z
  .array(id)
  .max(limits.steering_items)
  .overwrite((ids) => [...new Set(ids)]);
