// Which host sweeps, and where something is due: the two questions that name no tenant.

import type { Sql } from "./database.js";

export const takeDuty = (sql: Sql, wanted: { duty: string; holder: string; seconds: number }) =>
  sql<{ taken: boolean }[]>`
    select take_duty(${wanted.duty}, ${wanted.holder}, ${wanted.seconds}) as taken`;

export const readDueTenants = (sql: Sql, retention_days: number) =>
  sql<{ tenant_id: string }[]>`
    select t as tenant_id from tenants_with_due_work(${retention_days}) t`;
