// The window of statistics: by creation, whole seconds. Its bounds are judged by the database
// clock.

import { optional, time } from "../../contract/scalars.js";

export const windowShape = {
  start_time: optional(time),
  end_time: optional(time),
};

export const readWindow = (params: {
  start_time?: number | undefined;
  end_time?: number | undefined;
}) => ({ start_time: params.start_time ?? null, end_time: params.end_time ?? null });
