// Every scenario by its name: work through the socket of a host, and the same work by the peers.
// Each module is loaded only by the process that plays it.

/** @type {Record<string, import("./main.js").Scenario>} */
export const scenarios = {
  appends: async (job) => (await import("./appends.js")).appendEvents(job),
  lifecycle: async (job) => (await import("./lifecycle.js")).runLifecycles(job),
  take: async (job) => (await import("./take.js")).takeOneByOne(job),
  take_many: async (job) => (await import("./take.js")).takeMany(job),
  create: async (job) => (await import("./create.js")).createRuns(job),
  pickup: async (job) => (await import("./pickup.js")).pickUp(job),
  claims: async (job) => (await import("./claims.js")).claimOnly(job),
  churn: async (job, control) => (await import("./claims.js")).churnRuns(job, control),
  idle: async (job, control) => (await import("./idle.js")).holdConnections(job, control),
  pages: async (job) => (await import("./pages.js")).readPages(job),
  followers: async (job, control) => (await import("./fanout.js")).followRun(job, control),
  direct: async (job) => (await import("../peers/direct.js")).runLifecycles(job),
  graphile_fill: async (job) => (await import("../peers/graphile.js")).fillQueue(job),
  graphile: async (job) => (await import("../peers/graphile.js")).completeJobs(job),
  boss_fill: async (job) => (await import("../peers/boss.js")).fillQueue(job),
  boss_take: async (job) => (await import("../peers/boss.js")).completeJobs(job),
  boss_send: async (job) => (await import("../peers/boss.js")).sendJobs(job),
  raw_inserts: async (job) => (await import("../peers/raw_inserts.js")).insertEvents(job),
};
