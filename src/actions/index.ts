// Every action of the host, family by family.

import type { ActionHost } from "./action.js";
import { register as registerAudit } from "./audit/register.js";
import { register as registerClaims } from "./claims/register.js";
import { register as registerPlugins } from "./plugins/register.js";
import { register as registerRunners } from "./runners/register.js";
import { register as registerRuns } from "./runs/register.js";
import { register as registerRuntimes } from "./runtimes/register.js";
import { register as registerStats } from "./stats/register.js";

export function registerAll(h: ActionHost): void {
  registerPlugins(h);
  registerRuns(h);
  registerClaims(h);
  registerRunners(h);
  registerRuntimes(h);
  registerStats(h);
  registerAudit(h);
}
