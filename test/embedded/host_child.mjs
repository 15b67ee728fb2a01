// A host reduced to its Postgres: starts it, prints one JSON line, then waits to be killed.
// Arguments: the built start.js, and a JSON object { dataDir, settings?, uid? }.
const [, , startFile = "", given = "{}"] = process.argv;
const { dataDir, settings, uid } = JSON.parse(given);
const { startEmbeddedPostgres } = await import(startFile);
if (uid !== undefined) {
  // After the import: the checkout may be out of this user's reach.
  process.setgroups?.([uid]);
  process.setgid?.(uid);
  process.setuid?.(uid);
}
process.stdin.on("end", () => process.exit(0)).resume();
/** @param {object} line */
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
try {
  const { url, pid, adopted } = await startEmbeddedPostgres({ dataDir, settings, log: () => {} });
  say({ url, pid, adopted });
} catch (error) {
  say({ error: error instanceof Error ? error.message : String(error) });
}
