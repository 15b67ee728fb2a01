// Many subscribers of one run in a process of their own, each on its own connection. Says what each
// was given once the run has ended.

import { openRawPeer } from "./raw_peer.js";

const { url, token, run_id, readers } = JSON.parse(process.argv[2] ?? "{}");
let ended = 0;
let given = 0;
let wrong = 0;
let dropped = 0;

for (let place = 0; place < readers; place += 1) {
  let last = 0;
  const peer = await openRawPeer(url, token, {
    hear(method, { event }) {
      if (method === "run_event") {
        if (event.sequence !== last + 1) wrong += 1;
        last = event.sequence;
        given += 1;
      }
      if (method === "subscription_dropped") dropped += 1;
      if (method !== "run_ended") return;
      ended += 1;
      if (ended === readers) process.stdout.write(`${JSON.stringify({ ended, given, wrong, dropped })}\n`);
    },
  });
  await peer.ask("run_subscribe", { target_run_id: run_id });
}
process.stdout.write('{"reading":true}\n');
