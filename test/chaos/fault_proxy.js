// A TCP proxy whose line can be broken. `pass`; `hold`: nothing moves and nothing is lost, as on a
// network that is away and comes back; `blackhole`: what is sent is swallowed and sockets stay open,
// and since a stream with a hole is worth nothing, those sockets are cut when the mode ends; `refuse`:
// new connections are cut. `delay_ms` and `bytes_per_second` slow down what goes to the client.

import { connect, createServer } from "node:net";

/** @typedef {"pass" | "hold" | "blackhole" | "refuse"} Mode */
/** @typedef {{ client: import("node:net").Socket, upstream: import("node:net").Socket | null, torn: boolean }} Pair */

/** @param {{ port: number, host?: string }} target */
export async function openFaultProxy(target) {
  /** @type {Mode} */
  let mode = "pass";
  let delay_ms = 0;
  let bytes_per_second = 0;
  /** @type {Set<Pair>} */
  const pairs = new Set();

  /** @param {Pair} pair */
  const drop = (pair) => {
    pairs.delete(pair);
    pair.client.destroy();
    pair.upstream?.destroy();
  };

  /** @param {Pair} pair */
  const attach = (pair) => {
    const { client } = pair;
    const upstream = connect({ host: target.host ?? "127.0.0.1", port: target.port, noDelay: true });
    pair.upstream = upstream;
    upstream.on("error", () => drop(pair)).on("close", () => {
      // While the line is held its end cannot be seen on the other side.
      if (mode === "pass" || mode === "refuse") client.end();
      if (mode === "pass" || mode === "refuse") pairs.delete(pair);
    });
    client.on("data", (bytes) => {
      if (mode === "blackhole") pair.torn = true;
      else if (!upstream.write(bytes)) {
        client.pause();
        upstream.once("drain", () => { if (mode !== "hold") client.resume(); });
      }
    });
    const give = (/** @type {Buffer} */ bytes) => {
      if (client.destroyed || client.write(bytes)) return;
      upstream.pause();
      client.once("drain", () => { if (mode !== "hold") upstream.resume(); });
    };
    upstream.on("data", (bytes) => {
      if (mode === "blackhole") pair.torn = true;
      else if (bytes_per_second > 0) {
        upstream.pause();
        trickle(bytes);
      } else if (delay_ms > 0) setTimeout(() => give(bytes), delay_ms);
      else give(bytes);
    });
    const trickle = (/** @type {Buffer} */ bytes) => {
      if (client.destroyed) return;
      const part = bytes_per_second === 0 ? bytes.length : Math.ceil(bytes_per_second / 10);
      client.write(bytes.subarray(0, part));
      const rest = bytes.subarray(part);
      if (rest.length > 0) setTimeout(() => trickle(rest), 100);
      else upstream.resume();
    };
  };

  const server = createServer({ noDelay: true }, (client) => {
    /** @type {Pair} */
    const pair = { client, upstream: null, torn: false };
    client.on("error", () => drop(pair)).on("close", () => {
      pair.upstream?.destroy();
      pairs.delete(pair);
    });
    if (mode === "refuse") return void client.destroy();
    pairs.add(pair);
    if (mode === "pass") return attach(pair);
    if (mode === "hold") return void client.pause();
    // Taken and never connected: what it says is swallowed.
    pair.torn = true;
    client.on("data", () => undefined);
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(undefined));
  });
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());

  /** @param {Mode} wanted */
  const setMode = (wanted) => {
    mode = wanted;
    for (const pair of [...pairs]) {
      const { client, upstream } = pair;
      if (wanted === "hold") {
        client.pause();
        upstream?.pause();
      } else if (wanted === "pass") {
        if (pair.torn || upstream?.destroyed || client.destroyed) drop(pair);
        else if (upstream === null) attach(pair);
        client.resume();
        upstream?.resume();
      }
    }
  };

  return {
    port,
    connections: () => pairs.size,
    setMode,
    /** @param {{ delay_ms?: number, bytes_per_second?: number }} pace */
    slow(pace) {
      delay_ms = pace.delay_ms ?? 0;
      bytes_per_second = pace.bytes_per_second ?? 0;
    },
    /** Cuts every connection that stands; those to come are none of its business. */
    cutAll() {
      const cut = pairs.size;
      for (const pair of [...pairs]) drop(pair);
      return cut;
    },
    async close() {
      for (const pair of [...pairs]) drop(pair);
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof openFaultProxy>>} FaultProxy */
