// An SDK that keeps its spans in memory, registered for this test file, and ways to look at them.

import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { node, tracing } from "@opentelemetry/sdk-node";

export type Kept = ReturnType<tracing.InMemorySpanExporter["getFinishedSpans"]>[number];

export interface Spans {
  /** A span of a program beside the host, such as a worker. */
  start(name: string, options: { kind: "CONSUMER" | "INTERNAL"; parent?: string }): {
    traceparent: string;
    end(): void;
  };
  all(): Kept[];
  named(name: string): Kept[];
  clear(): void;
}

export const kinds = ["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"] as const;

let made = 0;
const hex = (length: number): string => {
  made += 1;
  return made.toString(16).padStart(length, "a");
};

/** A context that no span of this process has. */
export const freshTraceparent = (): string => `00-${hex(32)}-${hex(16)}-01`;

export const traceparentOf = ({ traceId, spanId, traceFlags }: ReturnType<Kept["spanContext"]>) =>
  `00-${traceId}-${spanId}-0${traceFlags}`;

export function keepSpans(): Spans {
  const exporter = new tracing.InMemorySpanExporter();
  const provider = new node.NodeTracerProvider({
    spanProcessors: [new tracing.SimpleSpanProcessor(exporter)],
  });
  provider.register();
  const tracer = provider.getTracer("test");
  return {
    start(name, { kind, parent }) {
      const [, traceId = "", spanId = "", flags = "0"] = parent?.split("-") ?? [];
      const remote = { traceId, spanId, traceFlags: Number(flags), isRemote: true };
      const within = parent === undefined
        ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote);
      const span = tracer.startSpan(name, { kind: kinds.indexOf(kind) }, within);
      return { traceparent: traceparentOf(span.spanContext()), end: () => span.end() };
    },
    all: () => exporter.getFinishedSpans(),
    named: (name) => exporter.getFinishedSpans().filter((span) => span.name === name),
    clear: () => exporter.reset(),
  };
}

/** One line per span, children below their parent in the order of their beginning. */
export function drawTrace(spans: readonly Kept[], traceId: string): string[] {
  const own = spans
    .filter((span) => span.spanContext().traceId === traceId)
    .sort((a, b) => began(a) - began(b));
  const ids = new Set(own.map((span) => span.spanContext().spanId));
  const draw = (parent: string | undefined, depth: number): string[] =>
    own
      .filter(({ parentSpanContext }) => (depth === 0
        ? !ids.has(parentSpanContext?.spanId ?? "") : parentSpanContext?.spanId === parent))
      .flatMap((span) => [
        `${"  ".repeat(depth)}${span.name} ${kinds[span.kind]}`,
        ...draw(span.spanContext().spanId, depth + 1),
      ]);
  return draw(undefined, 0);
}

const began = ({ startTime: [seconds, nanoseconds] }: Kept): number =>
  seconds * 1e9 + nanoseconds;
