// The SDK is started where the standard variables ask for it, and only there; what cannot be done as
// asked stops the start; what is left is sent when the host stops, and a collector that does not
// answer does not keep it.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { json } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { startTracing } from "../../src/telemetry/tracing.js";
import { start, type } from "../cli/terminal.js";
import { useClone } from "../support/clone.js";
import { Client } from "../support/client.js";

const clone = useClone();
const admin_token = "tracing-admin-token";

describe("what the variables ask for", () => {
  const never = async () => Promise.reject(new Error("the SDK was loaded"));
  const ask = (environment: Record<string, string>, load: () => Promise<never> = never) =>
    startTracing({ environment, warn: () => undefined, load });

  test.each<Record<string, string>>([
    {}, { OTEL_TRACES_EXPORTER: "none", OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: " " }, { OTEL_SERVICE_NAME: "runs" },
    { OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318" },
    { OTEL_METRICS_EXPORTER: "otlp" },
  ])("nothing with %j", async (environment) => {
    expect(await ask(environment)).toBe(null);
  });

  test.each<Record<string, string>>([
    { OTEL_TRACES_EXPORTER: "otlp" }, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318" },
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c:4318/v1/traces", OTEL_SDK_DISABLED: "false" },
    { OTEL_TRACES_EXPORTER: "zipkin,otlp", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
  ])("traces with %j", async (environment) => {
    await expect(ask(environment)).rejects.toThrow("cannot be loaded");
  });

  test.each([
    [{ OTEL_TRACES_EXPORTER: "jaeger" }, "OTEL_TRACES_EXPORTER: must be otlp, zipkin or none"],
    [{ OTEL_TRACES_EXPORTER: "console" }, "OTEL_TRACES_EXPORTER: must be otlp, zipkin or none"],
    [{ OTEL_TRACES_EXPORTER: "otlp,none" }, "OTEL_TRACES_EXPORTER: must be otlp, zipkin or none"],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "c" }, "OTEL_EXPORTER_OTLP_ENDPOINT: is not a URL"],
    [
      { OTEL_TRACES_EXPORTER: "otlp", OTEL_EXPORTER_OTLP_PROTOCOL: "http" },
      "OTEL_EXPORTER_OTLP_PROTOCOL: must be grpc, http/protobuf, http/json",
    ],
  ])("a clear refusal with %j", async (environment, message) => {
    await expect(ask(environment)).rejects.toThrow(message);
  });

  test("a package that is not installed is named, with the way to get it", async () => {
    const missing = Object.assign(
      new Error("Cannot find package '@opentelemetry/sdk-node' imported from x"),
      { code: "ERR_MODULE_NOT_FOUND" },
    );
    await expect(ask({ OTEL_TRACES_EXPORTER: "otlp" }, () => Promise.reject(missing)))
      .rejects.toThrow("OTEL_TRACES_EXPORTER: traces need the package @opentelemetry/sdk-node, "
        + "which is not installed (npm install @opentelemetry/sdk-node)");
  });
});

interface Exported {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { spans: { name: string; traceId: string; parentSpanId?: string }[] }[];
  }[];
}

async function startCollector(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<string> {
  const collector = createServer((request, response) => void answer(request, response));
  collector.listen(0, "127.0.0.1");
  await once(collector, "listening");
  onTestFinished(async () => {
    collector.closeAllConnections();
    collector.close();
    await once(collector, "close");
  });
  const address = collector.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

async function serve(more: Record<string, string>) {
  const cwd = await mkdtemp(join(tmpdir(), "runhost-tracing-"));
  const environment = {
    DATABASE_URL: clone().url, RUNHOST_PORT: "0", RUNHOST_DATA_DIR: cwd,
    RUNHOST_ADMIN_TOKEN: admin_token, ...more,
  };
  const child = start(["serve"], { environment, cwd });
  const exited = once(child, "exit");
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill("SIGKILL");
    await exited;
    await rm(cwd, { recursive: true, force: true });
  });
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    void exited.then(() => reject(new Error("the host did not start")));
    createInterface(child.stdout).on("line", (line) => {
      lines.push(line);
      if (line.includes('"msg":"ready"')) resolve(JSON.parse(line).url);
    });
  });
  return { child, exited, url, lines };
}

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

describe("a host with an endpoint", () => {
  test("sends its spans there, the last ones while it stops", async () => {
    const got: Exported[] = [];
    const endpoint = await startCollector(async (request, response) => {
      expect(request.url).toBe("/v1/traces");
      got.push((await json(request)) as Exported);
      response.setHeader("content-type", "application/json").end("{}");
    });
    const { child, exited, url } = await serve({
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      // Nothing leaves before the host stops.
      OTEL_BSP_SCHEDULE_DELAY: "600000",
    });
    const client = await Client.open(url, admin_token);
    await client.call("runner_list", { _meta: { traceparent } });
    await client.close();
    expect(got).toEqual([]);
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    const [{ resource, scopeSpans } = { resource: { attributes: [] }, scopeSpans: [] }] =
      got.flatMap((one) => one.resourceSpans);
    const listed = scopeSpans.flatMap((scope) => scope.spans)
      .filter((span) => span.traceId === traceId).map(({ name }) => name);
    expect(listed.sort()).toEqual(["runner_list", "runner_list"]);
    const said = Object.fromEntries(resource.attributes.map(({ key, value }) =>
      [key, value.stringValue]));
    expect(said["service.name"]).toBe("runhost");
    expect(Object.keys(said).filter((key) => key.startsWith("process."))).toEqual([]);
  });

  test("says so in its log when the collector refuses, and serves on", async () => {
    const endpoint = await startCollector((request, response) => {
      request.resume();
      response.writeHead(400).end("no");
    });
    const { child, exited, url, lines } = await serve({
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: "50",
    });
    const client = await Client.open(url, admin_token);
    await client.call("ping");
    await expect.poll(() => lines.find((line) => line.includes('"msg":"traces"')), {
      timeout: 10_000,
    }).toContain('"level":40');
    await client.call("ping");
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
  });

  test("stops in time when the collector never answers", async () => {
    const endpoint = await startCollector((request) => request.resume());
    const { child, exited, url, lines } = await serve({
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: "60000",
    });
    const client = await Client.open(url, admin_token);
    await client.call("ping");
    await client.close();
    const asked_ms = performance.now();
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    expect(performance.now() - asked_ms).toBeLessThan(8000);
    expect(lines.join("\n")).toContain("the last spans could not be sent in time");
  });

  test("that is unusable does not start", async () => {
    const seen = await type(["serve"], {
      environment: {
        DATABASE_URL: clone().url, RUNHOST_PORT: "0", RUNHOST_ADMIN_TOKEN: admin_token,
        OTEL_EXPORTER_OTLP_ENDPOINT: "nowhere",
      },
    });
    expect(seen).toMatchObject({
      code: 1, stderr: "runhost: OTEL_EXPORTER_OTLP_ENDPOINT: is not a URL\n",
    });
  });
});
