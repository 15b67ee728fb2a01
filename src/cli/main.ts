#!/usr/bin/env node
// The program `runhost`.

import { runCommandLine } from "./program.js";

// A reader that has seen enough, as in `runhost plugin list | head`, is not a failure.
process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
  if (cause.code !== "EPIPE") throw cause;
  process.exit(0);
});
process.exitCode = await runCommandLine(process.argv.slice(2), process.env);
