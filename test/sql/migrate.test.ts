// Migrations: applied once by whoever comes first, refused when the schema is not the code's.

import { afterEach, expect, test } from "vitest";
import { createDatabase, type Database } from "../../src/sql/database.js";
import { migrate, readMigrations, SchemaError } from "../../src/sql/migrate.js";
import { useClone } from "../support/clone.js";

const clone = useClone();
const opened: Database[] = [];
const log = { warn: () => undefined, debug: () => undefined };

function open(): Database {
  const database = createDatabase({
    url: clone().url, prepare: true, statement_timeout_ms: 20_000, pool_size: 1, log,
  });
  opened.push(database);
  return database;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()));
});

const made = (version: number, text: string) => ({
  version, name: "probe", text, sha256: `${version}${text}`,
});

test("twenty hosts that start at once apply each migration once", async () => {
  const known = await readMigrations();
  const next = [...known, made(900_001, "create table probe (place int); insert into probe values (1)")];
  const applied = await Promise.all(Array.from({ length: 20 }, () => migrate(open(), next)));
  expect(applied.flat()).toEqual([900_001]);
  expect(await clone().sql`select place from probe`).toEqual([{ place: 1 }]);
  await clone().sql`delete from runhost_migration where version = 900001`;
  await clone().sql`drop table probe`;
});

test("a migration that fails leaves nothing behind", async () => {
  const known = await readMigrations();
  const broken = made(900_002, "create table half (place int); select 1 / 0");
  await expect(migrate(open(), [...known, broken])).rejects.toThrow(/division by zero/);
  expect(await clone().sql`select to_regclass('half') as half`).toEqual([{ half: null }]);
  expect(await clone().sql`select from runhost_migration where version = 900002`).toHaveLength(0);
});

test("a schema that is newer than the code is refused by name", async () => {
  await clone().sql`insert into runhost_migration (version, name, sha256)
    values (900003, 'later', 'x')`;
  const refused = await migrate(open()).catch((cause: unknown) => cause);
  expect(refused).toBeInstanceOf(SchemaError);
  expect(String(refused)).toMatch(/schema version 900003 \(later\).*newer/);
  await clone().sql`delete from runhost_migration where version = 900003`;
});

test("a migration that was edited after it was applied is refused", async () => {
  const [first, ...rest] = await readMigrations();
  if (!first) throw new Error("there is a first migration");
  const edited = [{ ...first, sha256: "other" }, ...rest];
  await expect(migrate(open(), edited)).rejects.toThrow(/migration 1 \(tables\) differs/);
});

test("a second start applies nothing", async () => {
  expect(await migrate(open())).toEqual([]);
});
