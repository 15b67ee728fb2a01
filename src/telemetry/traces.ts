// Spans through the OpenTelemetry API: calls, by the semantic conventions for JSON-RPC (1.39), and
// the statements within them. Without a registered SDK nothing is recorded and next to nothing
// done. No text that a caller chose goes into a span, but the id of its request.

import {
  context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Attributes, type Context,
  type Span, type SpanContext, type SpanOptions, type Tracer,
} from "@opentelemetry/api";

export interface StartedCall {
  method: string;
  /** `_meta` of the params, as it was sent. */
  meta: unknown;
}

export interface EndedCall {
  /** Null for a notification. */
  request_id: string | null;
  code: string;
  /** Null when the call was answered with a result. */
  error_number: number | null;
  /** The host failed, not the caller. */
  is_failure: boolean;
  plugin_identity: string | null;
  tenant_id: string | null;
  /** The identity of the connection when the call was delegated. */
  via: string | null;
  run_id: string | null;
  /** Runs that the call took up, each with the trace that it belongs to. */
  continued: readonly { run_id: string; traceparent: string }[];
}

export interface CallSpan {
  /** W3C; where the call stands in its trace, or, when not recorded, what its caller sent. */
  traceparent: string | null;
  is_recording: boolean;
  /** Statements that `work` sends become children of the span. */
  within<T>(work: () => T): T;
  end(ended: EndedCall): void;
}

export interface HostTracer {
  startCall(started: StartedCall): CallSpan;
  /** Null outside of a recorded call; else what ends the span, told what failed, or null. */
  startStatement(name: string): ((failure: string | null) => void) | null;
}

const idCharactersMax = 64;

export function createTracer(parts: {
  version: string;
  methods: readonly string[];
}): HostTracer {
  const tracer = trace.getTracer("runhost", parts.version);
  const options = new Map(parts.methods.map((method) => [method, describeMethod(method)]));
  const unknown = describeMethod("_OTHER");
  return {
    startCall({ method, meta }) {
      const sent = readTraceparent(meta);
      const parent = sent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, sent);
      const known = options.get(method);
      const span = tracer.startSpan(known ? method : "jsonrpc", known ?? unknown, parent);
      const is_recording = span.isRecording();
      const where = is_recording ? span.spanContext() : sent;
      return {
        traceparent: where === null ? null : writeTraceparent(where),
        is_recording,
        within: (work) => context.with(trace.setSpan(parent, span), work),
        end: (ended) => endCall(span, ended),
      };
    },
    startStatement: (name) => startStatement(tracer, name, context.active()),
  };
}

/** Made once for each method: a call without an SDK pays for no object of it. */
function describeMethod(method: string): SpanOptions {
  const attributes: Attributes = {
    "rpc.system.name": "jsonrpc",
    "rpc.method": method,
    "jsonrpc.protocol.version": "2.0",
    "network.transport": "tcp",
  };
  return { kind: SpanKind.SERVER, attributes };
}

function endCall(span: Span, ended: EndedCall): void {
  const { code, request_id, error_number, plugin_identity, tenant_id, via, run_id } = ended;
  if (request_id !== null) {
    span.setAttribute("jsonrpc.request.id", request_id.slice(0, idCharactersMax));
  }
  if (plugin_identity !== null) span.setAttribute("runhost.plugin_identity", plugin_identity);
  if (tenant_id !== null) span.setAttribute("runhost.tenant_id", tenant_id);
  if (via !== null) span.setAttribute("runhost.via", via);
  if (run_id !== null) span.setAttribute("runhost.run_id", run_id);
  if (error_number !== null) {
    span.setAttribute("rpc.response.status_code", String(error_number));
    span.setAttribute("runhost.error_code", code);
  }
  if (ended.is_failure) {
    span.setAttribute("error.type", String(error_number));
    span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  }
  for (const continued of ended.continued) {
    const made = parseTraceparent(continued.traceparent);
    const attributes = { "runhost.run_id": continued.run_id };
    if (made !== null) span.addLink({ context: made, attributes });
  }
  span.end();
}

/** A call that has ended records no more: what it leaves behind is not its child. */
function startStatement(tracer: Tracer, name: string, within: Context) {
  if (trace.getSpan(within)?.isRecording() !== true) return null;
  const attributes = { "db.system.name": "postgresql", "db.operation.name": name };
  const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, within);
  return (failure: string | null): void => {
    if (failure !== null) {
      span.setAttribute("error.type", failure);
      span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    }
    span.end();
  };
}

const form =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** What is malformed is as if it had not been sent. */
function readTraceparent(meta: unknown): SpanContext | null {
  if (typeof meta !== "object" || meta === null) return null;
  const sent: unknown = (meta as Record<string, unknown>)["traceparent"];
  return typeof sent === "string" ? parseTraceparent(sent) : null;
}

/** Versions after 00 may say more behind what is read here. */
function parseTraceparent(text: string): SpanContext | null {
  const [, version, traceId, spanId, flags, more] = form.exec(text.slice(0, 256)) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (version === "00" && more !== undefined) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

function writeTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, "0")}`;
}
