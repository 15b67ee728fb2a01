// Starts the OpenTelemetry SDK where the standard OTEL_… variables ask for traces, and only there.
// Refuses, with one line that names the variable or the package, what it cannot do as asked: traces
// are never left out in silence. The process does this once, before its host starts.

export interface Tracing {
  /** Sends what is left, for 3 seconds at most. */
  stop(): Promise<void>;
}

export interface TracingOptions {
  /** The SDK reads the same variables from the process. */
  environment: NodeJS.ProcessEnv;
  warn(fields: Record<string, unknown>, message: string): void;
  /** Tests put another in its place. */
  load?: () => Promise<typeof import("@opentelemetry/sdk-node")>;
}

const sdkPackage = "@opentelemetry/sdk-node";
const flush_ms = 3000;
const messageCharactersMax = 300;

/** Null where no traces are asked for: then the SDK is not even loaded. */
export async function startTracing(options: TracingOptions): Promise<Tracing | null> {
  const { environment, warn, load = () => import("@opentelemetry/sdk-node") } = options;
  const asked = findRequest(environment);
  if (asked === null) return null;
  refuseUnusable(environment);
  const { api, NodeSDK, resources } = await load().catch((cause: unknown) => {
    const why = isMissing(cause) ? "is not installed" : "cannot be loaded";
    const hint = `npm install ${sdkPackage}`;
    throw new Error(`${asked}: traces need the package ${sdkPackage}, which ${why} (${hint})`, {
      cause,
    });
  });
  const isNamed = /(^|,)\s*service\.name=/.test(environment["OTEL_RESOURCE_ATTRIBUTES"] ?? "")
    || isSet(environment["OTEL_SERVICE_NAME"]);
  const sdk = new NodeSDK({
    // Metrics are scraped, logs are lines on stdout; callers send their context in params.
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
    textMapPropagator: null,
    // Not that of the process: a command line may hold what nobody else is to see.
    resourceDetectors: [resources.envDetector, resources.hostDetector],
    ...(isNamed ? {} : { serviceName: "runhost" }),
  });
  const tell = (message: string): void =>
    warn({ cause: message.slice(0, messageCharactersMax) }, "traces");
  const quiet = (): void => undefined;
  api.diag.setLogger(
    { error: tell, warn: tell, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  sdk.start();
  return { stop: () => flush(sdk, warn) };
}

const isSet = (text: string | undefined): text is string => (text ?? "").trim() !== "";

const listOf = (text: string | undefined): string[] =>
  (text ?? "").split(",").map((part) => part.trim()).filter((part) => part !== "");

/** The variable that asks for traces. */
function findRequest(environment: NodeJS.ProcessEnv): string | null {
  if (environment["OTEL_SDK_DISABLED"]?.trim().toLowerCase() === "true") return null;
  const exporters = listOf(environment["OTEL_TRACES_EXPORTER"]);
  if (exporters.length > 0) return exporters.join() === "none" ? null : "OTEL_TRACES_EXPORTER";
  const endpoints = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
  return endpoints.find((name) => isSet(environment[name])) ?? null;
}

/** The SDK would go on with a default, or with nothing, where these say something unknown. */
function refuseUnusable(environment: NodeJS.ProcessEnv): void {
  const exporters = listOf(environment["OTEL_TRACES_EXPORTER"]);
  if (!exporters.every((name) => name === "otlp" || name === "zipkin")) {
    throw new Error("OTEL_TRACES_EXPORTER: must be otlp, zipkin or none");
  }
  const protocols = ["grpc", "http/protobuf", "http/json"];
  for (const name of ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]) {
    const protocol = environment[name];
    if (isSet(protocol) && !protocols.includes(protocol.trim())) {
      throw new Error(`${name}: must be ${protocols.join(", ")}`);
    }
  }
  for (const name of ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]) {
    const endpoint = environment[name];
    if (isSet(endpoint) && !URL.canParse(endpoint.trim())) throw new Error(`${name}: is not a URL`);
  }
}

function isMissing(cause: unknown): boolean {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  return code === "ERR_MODULE_NOT_FOUND" && String(message).includes(sdkPackage);
}

async function flush(
  sdk: { shutdown(): Promise<void> },
  warn: TracingOptions["warn"],
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), flush_ms);
  });
  try {
    const ended = await Promise.race([sdk.shutdown(), late]);
    if (ended === "late") warn({}, "the last spans could not be sent in time");
  } catch (cause) {
    warn({ err: cause }, "the last spans could not be sent");
  } finally {
    clearTimeout(timer);
  }
}
