// The audit.

import type { ActionHost } from "../action.js";
import { auditPage } from "./audit_page.js";

export function register(h: ActionHost): void {
  h.action(auditPage);
}
