// The plain HTTP endpoints, through the listener: status, body and headers of each.

import { afterEach, describe, expect, test } from "vitest";
import { createGate, startTestWire, within, type TestWire } from "./harness.js";

let wire: TestWire;
const settleWire = () => wire.stop();
afterEach(settleWire);

const ask = (path: string, init: RequestInit = {}) => fetch(wire.http_url + path, init);

describe("paths", () => {
  test.each<[string, string, number, unknown]>([
    ["GET", "/healthz", 200, { ok: true }],
    ["GET", "/healthz?x=1", 200, { ok: true }],
    ["GET", "/readyz", 200, { ready: true }],
    ["GET", "/openrpc.json", 200, { openrpc: "1.3.2" }],
    ["GET", "/rpc", 426, { error: "a WebSocket upgrade is needed" }],
    ["GET", "/", 404, { error: "not found" }],
    ["GET", "/healthz/", 404, { error: "not found" }],
    ["GET", "/constructor", 404, { error: "not found" }],
    ["GET", "/metrics/", 404, { error: "not found" }],
    ["POST", "/metrics", 405, { error: "method not allowed" }],
    ["POST", "/healthz", 405, { error: "method not allowed" }],
    ["DELETE", "/openrpc.json", 405, { error: "method not allowed" }],
    ["POST", "/nothing", 404, { error: "not found" }],
  ])("%s %s: %i", async (method, path, status, body) => {
    wire = await startTestWire();
    const answer = await ask(path, { method });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
    expect(await answer.json()).toEqual(body);
  });

  test("HEAD has the headers and no body", async () => {
    wire = await startTestWire();
    const answer = await ask("/healthz", { method: "HEAD" });
    expect([answer.status, answer.headers.get("content-length"), await answer.text()]).toEqual([
      200, "11", "",
    ]);
  });
});

describe("metrics", () => {
  test("are text of the type that they name", async () => {
    wire = await startTestWire();
    const answer = await ask("/metrics");
    expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([
      200, "text/plain; version=0.0.4", "up 1\n",
    ]);
  });

  test("that fail are a 500, and the host goes on", async () => {
    wire = await startTestWire({ parts: { metrics: () => Promise.reject(new Error("secret")) } });
    const answer = await ask("/metrics");
    expect([answer.status, await answer.text()]).toEqual([500, '{"error":"internal error"}']);
    expect((await ask("/healthz")).status).toBe(200);
  });
});

describe("readiness", () => {
  test("503 with the reason while the database does not answer", async () => {
    const reason = "the database cannot be reached";
    wire = await startTestWire({ parts: { ready: async () => ({ ready: false, reason }) } });
    const answer = await ask("/readyz");
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ ready: false, reason });
    expect((await ask("/healthz")).status).toBe(200);
  });

  test("a defect shows nothing of itself", async () => {
    wire = await startTestWire({ parts: { ready: () => Promise.reject(new Error("secret")) } });
    const answer = await ask("/readyz");
    expect(answer.status).toBe(500);
    expect(await answer.text()).toBe('{"error":"internal error"}');
    expect(wire.logged).toHaveLength(1);
  });

  test("a question that is being answered when the host stops is still answered", async () => {
    const gate = createGate();
    const asked = createGate();
    const ready = async () => {
      asked.open();
      await gate.opened;
      return { ready: true } as const;
    };
    wire = await startTestWire({ parts: { ready } });
    const answer = ask("/readyz");
    await asked.opened;
    const closing = wire.close();
    gate.open();
    expect((await answer).status).toBe(200);
    await closing;
    await expect(ask("/healthz")).rejects.toThrow();
  });

  test("a question that is never answered does not keep the host", async () => {
    const asked = createGate();
    const ready = () => {
      asked.open();
      return new Promise<never>(() => undefined);
    };
    wire = await startTestWire({ parts: { ready }, bounds: { close_seconds: 0.2 } });
    const answer = ask("/readyz");
    answer.catch(() => undefined);
    await asked.opened;
    await within(wire.close(), "the end", 2000);
    await expect(answer).rejects.toThrow();
  });
});
