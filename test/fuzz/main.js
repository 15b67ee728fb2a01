// `npm run fuzz -- [--frames N] [--seed S] [--connections N] [--quick]`: prints seed, counts and
// verdict; exit code 1 when something was found. DATABASE_URL names a database to use, which is filled
// with debris; without it the host brings its own.

import { fuzz } from "./fuzz.js";
import { readOptions } from "./options.js";

try {
  const report = await fuzz(readOptions(process.argv.slice(2), process.env), (line) =>
    process.stdout.write(`${line}\n`));
  const { offences, codes, ...facts } = report;
  process.stdout.write(`${JSON.stringify({ ...facts, codes }, null, 2)}\n`);
  for (const offence of offences) process.stdout.write(`${JSON.stringify(offence, null, 2)}\n`);
  process.stdout.write(offences.length === 0 ? "S1 holds\n" : `S1 BROKEN: ${offences.length} kinds\n`);
  process.exitCode = offences.length === 0 ? 0 : 1;
} catch (thrown) {
  process.stderr.write(`fuzz: ${thrown instanceof Error ? thrown.message : thrown}\n`);
  process.exitCode = 2;
}
