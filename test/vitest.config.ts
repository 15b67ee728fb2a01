// One configuration for every test: real Postgres from the global setup, two files at a time.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    environment: "node",
    globalSetup: ["test/support/global_setup.ts"],
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ["default", new URL("support/plain_reporter.ts", import.meta.url).pathname],
  },
});
