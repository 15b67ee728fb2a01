// Each way in which the proxy breaks a line, seen from both ends.

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { openFaultProxy } from "./fault_proxy.js";

async function openLine() {
  const far: Socket[] = [];
  const server = createServer((socket) => {
    far.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => socket.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy = await openFaultProxy({ port: (server.address() as AddressInfo).port });
  onTestFinished(async () => {
    await proxy.close();
    for (const socket of far) socket.destroy();
    server.close();
  });
  const dial = async () => {
    const socket = connect(proxy.port, "127.0.0.1").on("error", () => undefined);
    let heard = "";
    socket.on("data", (bytes) => (heard += bytes));
    await once(socket, "connect");
    onTestFinished(() => void socket.destroy());
    return { socket, heard: () => heard, closed: once(socket, "close") };
  };
  return { proxy, dial, far };
}

/** What was written earlier through the same process has been handled by then. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 50));

test("pass hands everything on", async () => {
  const { dial } = await openLine();
  const one = await dial();
  one.socket.write("hello");
  await expect.poll(one.heard).toBe("hello");
});

test("hold moves nothing and loses nothing, also for those who come meanwhile", async () => {
  const { proxy, dial } = await openLine();
  const one = await dial();
  one.socket.write("a");
  await expect.poll(one.heard).toBe("a");
  proxy.setMode("hold");
  one.socket.write("b");
  const other = await dial();
  other.socket.write("c");
  await turn();
  expect([one.heard(), other.heard()]).toEqual(["a", ""]);
  proxy.setMode("pass");
  await expect.poll(() => [one.heard(), other.heard()]).toEqual(["ab", "c"]);
});

test("a blackhole swallows, keeps sockets open, and cuts those with a hole at its end", async () => {
  const { proxy, dial } = await openLine();
  const [torn, whole] = [await dial(), await dial()];
  for (const one of [torn, whole]) one.socket.write("a");
  await expect.poll(() => torn.heard() + whole.heard()).toBe("aa");
  proxy.setMode("blackhole");
  torn.socket.write("b");
  const late = await dial();
  late.socket.write("c");
  await turn();
  expect([torn.heard(), late.heard(), torn.socket.destroyed, late.socket.destroyed])
    .toEqual(["a", "", false, false]);
  proxy.setMode("pass");
  await Promise.all([torn.closed, late.closed]);
  whole.socket.write("d");
  await expect.poll(whole.heard).toBe("ad");
});

test("refuse cuts those who come, cutAll those who are there", async () => {
  const { proxy, dial, far } = await openLine();
  const one = await dial();
  one.socket.write("a");
  await expect.poll(one.heard).toBe("a");
  proxy.setMode("refuse");
  await (await dial()).closed;
  one.socket.write("b");
  await expect.poll(one.heard).toBe("ab");
  const gone = once(far[0] as Socket, "close");
  expect(proxy.cutAll()).toBe(1);
  await Promise.all([one.closed, gone]);
});

test("a slow line trickles, and gives the rest when it is slow no more", async () => {
  const { proxy, dial } = await openLine();
  const one = await dial();
  proxy.slow({ bytes_per_second: 100 });
  one.socket.write("x".repeat(5000));
  await expect.poll(() => one.heard().length).toBeGreaterThan(0);
  expect(one.heard().length).toBeLessThan(5000);
  proxy.slow({});
  await expect.poll(() => one.heard().length).toBe(5000);
});
