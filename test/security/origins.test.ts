// S3, against a host process: what a browser page may try, by its origin, by a name that was rebound to
// this machine, or by HTTP that reads in two ways. Refused before the 101, with nothing behind it. The
// rules themselves, row by row, are in test/wire/handshake.test.ts.

import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useClone } from "../support/clone.js";
import { admin_token, startHostProcess, type HostProcess } from "./fleet.js";

const clone = useClone();
let host: HostProcess;
beforeAll(async () => {
  host = await startHostProcess(clone().url, {
    RUNHOST_ALLOWED_ORIGINS: "https://app.example.com",
  });
}, 60_000);
afterAll(() => host.stop());

const own = [
  "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** What the host sends until it closes, or until its head is complete when it says 101. */
async function ask(lines: string[]): Promise<string> {
  const socket = connect(host.port, "127.0.0.1");
  socket.on("error", () => undefined);
  let answer = "";
  const told = new Promise<void>((resolve) => socket.on("data", (bytes) => {
    answer += bytes.toString("latin1");
    if (answer.includes("\r\n\r\n") && answer.startsWith("HTTP/1.1 101")) resolve();
  }));
  const text = lines.map((line) => line.replaceAll("PORT", String(host.port)));
  socket.write(`${text.join("\r\n")}\r\n\r\n`);
  await Promise.race([told, once(socket, "close")]);
  socket.destroy();
  return answer;
}

const get = "GET /rpc HTTP/1.1";
const token = `Authorization: Bearer ${admin_token}`;

describe("an upgrade", () => {
  test.each<[string, number, string[]]>([
    ["of a client that is no browser", 101, [get, "Host: 127.0.0.1:PORT"]],
    ["of the listed origin", 101, [get, "Host: localhost:PORT", "Origin: https://app.example.com"]],
    ["of its own origin", 101, [get, "Host: localhost:PORT", "Origin: http://localhost:PORT"]],
    ["of a page of a rebound name", 403, [get, "Host: evil.example:PORT", "Origin: http://evil.example:PORT"]],
    ["of a rebound name without an origin", 403, [get, "Host: evil.example:PORT"]],
    ["of a foreign page", 403, [get, "Host: localhost:PORT", "Origin: http://evil.example"]],
    ["of a foreign page that knows the token", 403,
      [get, "Host: localhost:PORT", "Origin: http://evil.example", token]],
    ["of a page on another port of this machine", 403,
      [get, "Host: localhost:PORT", "Origin: http://localhost:3000"]],
    ["of a sandboxed page", 403, [get, "Host: localhost:PORT", "Origin: null"]],
    ["of a page below the listed name", 403,
      [get, "Host: localhost:PORT", "Origin: https://app.example.com.evil.example"]],
    ["with two origins, one of them good", 403,
      [get, "Host: localhost:PORT", "Origin: https://app.example.com", "Origin: http://evil.example"]],
    ["with two origins, the good one last", 403,
      [get, "Host: localhost:PORT", "Origin: http://evil.example", "Origin: https://app.example.com"]],
    ["without a host", 400, [get]],
    ["with a user in the host", 403, [get, "Host: localhost@evil.example"]],
    ["to a whole address", 404, ["GET http://evil.example/rpc HTTP/1.1", "Host: localhost:PORT"]],
    ["by another path to the same", 404, ["GET /rpc/../rpc HTTP/1.1", "Host: localhost:PORT"]],
    ["by POST", 405, ["POST /rpc HTTP/1.1", "Host: localhost:PORT"]],
  ])("%s: %i", async (_title, status, lines) => {
    const answer = await ask([...lines, ...own]);
    // Node itself refuses a request without Host where it reads it first; both are before the 101.
    const expected = status === 400 ? /^HTTP\/1\.1 40[03] / : new RegExp(`^HTTP/1\\.1 ${status} `);
    expect(answer).toMatch(expected);
    if (status !== 101) expect(answer).not.toContain(" 101 ");
  });
});

describe("the plain endpoints", () => {
  test.each([
    ["/metrics", "localhost:PORT", 200], ["/metrics", "app.example.com", 200],
    ["/metrics", "evil.example:PORT", 403], ["/healthz", "evil.example:PORT", 200],
  ])("%s under %s: %i", async (path, name, status) => {
    const answer = await ask([`GET ${path} HTTP/1.1`, `Host: ${name}`, "Connection: close"]);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toMatch(/access-control-allow/i);
    if (status === 403) expect(answer).not.toContain("runhost_");
  });
});
