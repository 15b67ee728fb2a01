// Who gets a socket: the matrix of paths, hosts, origins and credentials, each row with its status,
// first by the rules alone and then over real sockets, where a refusal comes before the 101.

import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { Refusal } from "../../src/contract/errors.js";
import { judgeUpgrade, type UpgradeRequest } from "../../src/wire/handshake.js";
import {
  asPlugin, dial, goodToken, proof, startTestWire, within, type TestWire, type TestWireOptions,
} from "./harness.js";

const identify = async (plugin_token: string) => {
  if (plugin_token === "down") throw new Refusal("UNAVAILABLE");
  if (plugin_token !== goodToken) throw new Refusal("UNAUTHENTICATED");
  return proof;
};

const judge = (request: Partial<UpgradeRequest>, rules = {}) =>
  judgeUpgrade(
    {
      path: "/rpc", host: "127.0.0.1:7420", origin: undefined, authorization: undefined,
      address: "127.0.0.1", ...request,
    },
    { isClosed: () => false, bound_host: "127.0.0.1", allowed_origins: ["https://app.example.com"], identify, ...rules },
  ).then(({ status }) => status);

describe("hosts, bound to loopback", () => {
  test.each<[string | undefined, number]>([
    ["127.0.0.1:7420", 101], ["127.0.0.1", 101], ["localhost:7420", 101], ["LOCALHOST:1", 101],
    ["[::1]:7420", 101], ["127.8.9.10:7420", 101], ["app.example.com", 101],
    ["evil.example", 403], ["evil.example:7420", 403], ["localhost.evil.example", 403],
    ["127.0.0.1.evil.example", 403], ["127.evil", 403], ["192.168.1.5:7420", 403], ["0.0.0.0", 403],
    ["", 403], [undefined, 403], ["localhost:port", 403], ["user@localhost", 403],
    ["localhost/x", 403], ["localhost, evil.example", 403],
  ])("%s: %i", async (host, status) => expect(await judge({ host })).toBe(status));
});

describe("origins, bound to loopback", () => {
  test.each<[string, string, number]>([
    ["127.0.0.1:7420", "http://127.0.0.1:7420", 101],
    ["127.0.0.1:7420", "https://127.0.0.1:7420", 101],
    ["localhost:7420", "http://localhost:7420", 101],
    ["[::1]:7420", "http://[::1]:7420", 101],
    ["localhost", "http://localhost", 101],
    ["127.0.0.1:7420", "https://app.example.com", 101],
    ["127.0.0.1:7420", "HTTPS://APP.EXAMPLE.COM", 101],
    ["127.0.0.1:7420", "http://app.example.com", 403],
    ["127.0.0.1:7420", "https://app.example.com:8443", 403],
    ["127.0.0.1:7420", "https://app.example.com.evil.example", 403],
    ["127.0.0.1:7420", "http://127.0.0.1:7421", 403],
    ["127.0.0.1:7420", "http://127.0.0.1", 403],
    ["127.0.0.1:7420", "http://localhost:7420", 403],
    ["127.0.0.1:7420", "http://evil.example", 403],
    ["127.0.0.1:7420", "null", 403],
    ["127.0.0.1:7420", "", 403],
    ["127.0.0.1:7420", "file://", 403],
    ["evil.example:7420", "http://evil.example:7420", 403],
    ["app.example.com", "http://app.example.com", 403],
  ])("host %s, origin %s: %i", async (host, origin, status) => {
    expect(await judge({ host, origin })).toBe(status);
  });
});

describe("bound to every address", () => {
  const rules = { bound_host: "0.0.0.0" };
  test.each<[string, string | undefined, number]>([
    ["runhost.internal:7420", undefined, 101],
    ["10.0.0.7:7420", "http://10.0.0.7:7420", 101],
    ["runhost.internal", "https://app.example.com", 101],
    ["evil.example:7420", "http://evil.example:7420", 403],
    ["runhost.internal:7420", "http://runhost.internal:7420", 403],
    ["10.0.0.7:7420", "http://10.0.0.8:7420", 403],
  ])("host %s, origin %s: %i", async (host, origin, status) => {
    expect(await judge({ host, origin }, rules)).toBe(status);
  });

  test("a configured name is the host's own", async () => {
    const request = { host: "runhost.internal", origin: "http://runhost.internal" };
    expect(await judge(request, { bound_host: "runhost.internal" })).toBe(101);
  });
});

describe("credentials", () => {
  test.each<[string | undefined, number]>([
    [undefined, 101], [`Bearer ${goodToken}`, 101], [`bearer  ${goodToken} `, 101],
    ["Bearer rh_bad_token", 401], ["", 401], ["Bearer", 401], ["Bearer ", 401],
    [`Basic ${goodToken}`, 401], [goodToken, 401], [`Bearer ${goodToken} x`, 401],
    [`Bearer ${"x".repeat(513)}`, 401], ["Bearer down", 503],
  ])("%s: %i", async (authorization, status) => {
    expect(await judge({ authorization })).toBe(status);
  });

  test("a foreign page learns nothing about a token", async () => {
    for (const token of [goodToken, "bad"]) {
      const authorization = `Bearer ${token}`;
      expect(await judge({ origin: "http://evil.example", authorization })).toBe(403);
    }
  });
});

describe("over sockets", () => {
  const upgrade =
    "GET /rpc HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

  let wire: TestWire;
  const start = async (options: TestWireOptions = {}) => {
    wire = await startTestWire(options);
  };
  const settleWire = () => wire.stop();
  afterEach(settleWire);

  test.each<[string, string, Record<string, string>]>([
    ["another path", "404", { path: "/other" }],
    ["the root", "404", { path: "/" }],
    ["a deeper path", "404", { path: "/rpc/x" }],
    ["a foreign origin", "403", { origin: "http://evil.example" }],
    ["a rebound name", "403", { host: "evil.example" }],
    ["a bad token", "401", { authorization: "Bearer rh_bad_token" }],
    ["a malformed header", "401", { authorization: "Basic x" }],
    ["no database", "503", { authorization: "Bearer rh_down" }],
    ["a defect", "500", { authorization: "Bearer rh_broken" }],
  ])("%s: %s", async (_title, status, { path, ...headers }) => {
    await start();
    await expect(dial(wire.url, { path, headers })).rejects.toThrow(status);
    expect(wire.connections.size).toBe(0);
  });

  test("the header proves the identity: nothing else is asked", async () => {
    await start();
    const peer = await wire.dial(asPlugin);
    expect(await peer.call("echo")).toMatchObject({ result: { params: {} } });
    expect(wire.held).toEqual(["acme/one key"]);
  });

  test("its own origin and a query are let in", async () => {
    await start();
    const peer = await wire.dial({ path: "/rpc?x=1", headers: { origin: wire.http_url } });
    expect(await peer.call("ping")).toMatchObject({ result: { ok: true } });
  });

  const sendRaw = async (text: string): Promise<string> => {
    const socket = connect(Number(new URL(wire.http_url).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (bytes) => (answer += bytes)).on("error", () => undefined);
    const ended = once(socket, "close");
    socket.write(text);
    await within(ended, "the end of the socket");
    return answer;
  };

  test.each<[string, RegExp, string]>([
    [
      "an upgrade to something else",
      /^HTTP\/1.1 200 OK\r\n[^]*\{"ok":true\}$/,
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    ],
    [
      "a wrong WebSocket version",
      /^HTTP\/1.1 400 /,
      `${upgrade}Sec-WebSocket-Version: 99\r\n${key}\r\n`,
    ],
    [
      "no key",
      /^HTTP\/1.1 400 /,
      `${upgrade}Sec-WebSocket-Version: 13\r\n\r\n`,
    ],
    [
      "no host",
      /^HTTP\/1.1 403 /,
      "GET /rpc HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
    ["no HTTP", /^HTTP\/1.1 400 /, "hello\r\n\r\n"],
    [
      "a refused token, with the challenge",
      /^HTTP\/1.1 401 [^]*www-authenticate: Bearer/,
      `${upgrade}Authorization: x\r\n\r\n`,
    ],
  ])("%s", async (_title, expected, text) => {
    await start();
    expect(await sendRaw(text)).toMatch(expected);
  });

  test("half an upgrade request is cut in time", async () => {
    await start({ bounds: { upgrade_seconds: 0.5 } });
    const texts = ["", "GET /rpc HTT", "GET /rpc HTTP/1.1\r\nHost: localhost\r\nUpgrade: web"];
    const answers = await Promise.all(texts.map(sendRaw));
    expect(answers.every((answer) => answer === "" || answer.includes(" 408 "))).toBe(true);
  });

  test("a frame sent along with the upgrade request is not lost", async () => {
    await start();
    const socket = connect(Number(new URL(wire.http_url).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (bytes) => (answer += bytes.toString("latin1")));
    const text = '{"jsonrpc":"2.0","id":7,"method":"ping"}';
    const unmasked = Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]);
    const authorization = `Authorization: Bearer ${goodToken}\r\n`;
    const head = `${upgrade}${authorization}Sec-WebSocket-Version: 13\r\n${key}\r\n`;
    socket.write(Buffer.concat([Buffer.from(head), unmasked, Buffer.from(text)]));
    await expect.poll(() => answer).toMatch(/ 101 [^]*"id":7,"result":\{"ok":true\}/);
    socket.destroy();
  });
});
