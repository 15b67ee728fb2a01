// The tenants there are.

import type { Sql } from "./database.js";

export const listTenants = (sql: Sql) =>
  sql<{ tenant_id: string }[]>`select t as tenant_id from known_tenants() t order by 1`;
