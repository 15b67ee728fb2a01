// Runs another script in this process, and ends with whoever started it, even one that was killed: its
// end of our stdin is then closed. postgres_child.js does the same in its own way.

const [script, ...rest] = process.argv.slice(2);
if (script === undefined) throw new Error("no script to run");
process.stdin.on("end", () => process.exit(1)).resume();
process.stdin.on("error", () => process.exit(1));
process.argv.splice(1, process.argv.length - 1, script, ...rest);
await import(script);
