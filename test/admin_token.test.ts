// The built-in administrator's token: configured, or one per data directory that every start of
// that directory shares and nobody else may read.

import {
  chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { provideAdminToken } from "../src/admin_token.js";

let data_dir: string;
const makeFolder = () => {
  data_dir = mkdtempSync(join(tmpdir(), "admin-token-"));
};
const removeFolder = () => rmSync(data_dir, { recursive: true });
beforeEach(makeFolder);
afterEach(removeFolder);

const file = () => join(data_dir, "admin-token");
const mode = () => statSync(file()).mode & 0o777;

test("a configured one is used and nothing is written", async () => {
  expect(await provideAdminToken({ admin_token: "mine", data_dir })).toBe("mine");
  expect(readdirSync(data_dir)).toEqual([]);
});

test("a random one is made once, mode 0600, and found again", async () => {
  const made = await provideAdminToken({ admin_token: null, data_dir });
  expect(made).toMatch(/^rh_[a-z0-9]+_[0-9a-f]{64}$/);
  expect(readFileSync(file(), "utf8")).toBe(`${made}\n`);
  expect(mode()).toBe(0o600);
  expect(await provideAdminToken({ admin_token: null, data_dir })).toBe(made);
  expect(readdirSync(data_dir)).toEqual(["admin-token"]);
});

test("a data directory that is not there yet is made, for its owner alone", async () => {
  const nested = join(data_dir, "a", "b");
  await provideAdminToken({ admin_token: null, data_dir: nested });
  expect(statSync(nested).mode & 0o777).toBe(0o700);
});

test("hosts that start together agree", async () => {
  const provide = () => provideAdminToken({ admin_token: null, data_dir });
  const tokens = await Promise.all(Array.from({ length: 20 }, provide));
  expect(new Set(tokens).size).toBe(1);
  expect(readdirSync(data_dir)).toEqual(["admin-token"]);
});

test("a file that others may read is closed to them", async () => {
  writeFileSync(file(), "rh_mine_secret\n");
  chmodSync(file(), 0o644);
  expect(await provideAdminToken({ admin_token: null, data_dir })).toBe("rh_mine_secret");
  expect(mode()).toBe(0o600);
});

test.each([
  ["empty", ""], ["of two words", "a b"], ["binary", "\0\x01"], ["too long", "x".repeat(513)],
])("a file that is %s stops the start and is named", async (_title, content) => {
  writeFileSync(file(), content);
  await expect(provideAdminToken({ admin_token: null, data_dir })).rejects.toThrow(
    `${file()}: does not hold a token`,
  );
});
