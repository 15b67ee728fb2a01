// Every action of the host, family by family.

import type { ActionHost } from "./action.js";
import { register as registerAudit } from "./audit/register.js";
import { register as registerClaims } from "./claims/register.js";
import { register as registerEvents } from "./events/register.js";
import { register as registerHistory } from "./history/register.js";
import { register as registerInteractions } from "./interactions/register.js";
import { register as registerPlugins } from "./plugins/register.js";
import { register as registerRunners } from "./runners/register.js";
import { register as registerRuns } from "./runs/register.js";
import { register as registerRuntimes } from "./runtimes/register.js";
import { register as registerState } from "./state/register.js";
import { register as registerStats } from "./stats/register.js";
import { register as registerSteering } from "./steering/register.js";

export function registerAll(h: ActionHost): void {
  registerPlugins(h);
  registerRuns(h);
  registerEvents(h);
  registerClaims(h);
  registerRunners(h);
  registerRuntimes(h);
  registerHistory(h);
  registerSteering(h);
  registerState(h);
  registerInteractions(h);
  registerStats(h);
  registerAudit(h);
}
