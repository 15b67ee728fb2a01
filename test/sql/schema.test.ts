// migrations/schema.sql says what the migrations make. `npm run schema` writes it anew.

import { readFile, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { useClone } from "../support/clone.js";
import { describeSchema } from "./schema_text.js";

const clone = useClone();
const file = new URL("../../migrations/schema.sql", import.meta.url);

test("migrations/schema.sql is the schema that the migrations make", async () => {
  const made = await describeSchema(clone().sql);
  if (process.env["WRITE_SCHEMA"] === "1") await writeFile(file, made);
  expect(await readFile(file, "utf8")).toBe(made);
});

test("tenant_id leads every key and is the first column of every table", async () => {
  const keys = await clone().sql<{ name: string; columns: string[] }[]>`
    select k.conname as name, array(select a.attname from unnest(k.conkey) with ordinality x (n, o)
      join pg_attribute a on a.attrelid = k.conrelid and a.attnum = x.n order by o) as columns
    from pg_constraint k join pg_class c on c.oid = k.conrelid
    where c.relnamespace = 'public'::regnamespace and k.contype in ('p', 'u', 'f')
      and c.relname not like 'runhost_%'`;
  expect(keys.length).toBeGreaterThan(20);
  expect(keys.filter(({ columns }) => columns[0] !== "tenant_id")).toEqual([]);
});
