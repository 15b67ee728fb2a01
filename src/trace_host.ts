// Brings calls and their statements to the spans of telemetry/traces, by standing between the
// floors that main builds: no floor knows that it is traced. Nothing here rejects, or makes a call
// wait. Called by main only.

import { actionNames } from "./contract/action_names.js";
import { errorTable, Refusal, type ErrorCode } from "./contract/errors.js";
import type { Dispatcher, IncomingCall } from "./dispatch/dispatcher.js";
import type { HideSecrets } from "./hide_secrets.js";
import type { DatabaseObserver } from "./sql/database.js";
import {
  createTracer, type CallSpan, type EndedCall, type HostTracer,
} from "./telemetry/traces.js";

export interface HostTraces {
  ofDatabase(observer: DatabaseObserver): DatabaseObserver;
  ofDispatcher(dispatcher: Dispatcher): Dispatcher;
}

/** Where the host itself failed. A refusal is an answer like another: no worker that finds nothing
    to claim, and no repeat of an id, makes a span red. */
const failures: ReadonlySet<ErrorCode> = new Set(["INTERNAL", "UNAVAILABLE"]);

export function traceHost(version: string, hideSecrets: HideSecrets): HostTraces {
  const tracer = createTracer({ version, methods: actionNames });
  return {
    ofDatabase: (observer) => ({ ...observer, statement: traceStatements(observer, tracer) }),
    ofDispatcher: (dispatcher) => {
      const call = traceCalls(dispatcher, tracer, hideSecrets);
      return { ...dispatcher, call };
    },
  };
}

function traceStatements(
  observer: DatabaseObserver,
  tracer: HostTracer,
): DatabaseObserver["statement"] {
  return (name) => {
    const counted = observer.statement(name);
    const traced = tracer.startStatement(name);
    if (traced === null) return counted;
    return (outcome) => {
      counted(outcome);
      traced(outcome === "answered" ? null : outcome);
    };
  };
}

function traceCalls(
  dispatcher: Dispatcher,
  tracer: HostTracer,
  hideSecrets: HideSecrets,
): Dispatcher["call"] {
  return (input) => {
    const { id, method, params } = input;
    const span = tracer.startCall({ method, meta: params["_meta"] });
    const { traceparent } = span;
    if (span.is_recording) {
      const request_id = id === undefined ? null : hideSecrets(String(id));
      return recordCall(dispatcher, input, { span, request_id });
    }
    return dispatcher.call(traceparent === null ? input : { ...input, traceparent });
  };
}

function recordCall(
  dispatcher: Dispatcher,
  input: IncomingCall,
  recorded: { span: CallSpan; request_id: string | null },
): ReturnType<Dispatcher["call"]> {
  const { span, request_id } = recorded;
  const { traceparent } = span;
  let caller: Parameters<NonNullable<IncomingCall["noteCaller"]>>[0] | null = null;
  const noteCaller: IncomingCall["noteCaller"] = (found) => {
    caller = found;
  };
  const started = span.within(() => dispatcher.call({ ...input, traceparent, noteCaller }));
  const end = (code: ErrorCode | "ok", result: unknown): void => {
    const principal = caller?.principal ?? input.connection.principal;
    span.end({
      request_id,
      code,
      error_number: code === "ok" ? null : errorTable[code].number,
      is_failure: code !== "ok" && failures.has(code),
      plugin_identity: principal?.plugin_identity ?? null,
      tenant_id: principal?.tenant_id ?? null,
      via: caller?.via ?? null,
      ...readResult(result),
    });
  };
  void started.answer.then(
    (result) => end("ok", result),
    (thrown: unknown) => end(thrown instanceof Refusal ? thrown.code : "INTERNAL", null),
  );
  return started;
}

/** The run that an answer is about; params that nobody has checked are not looked at. */
function readResult(result: unknown): Pick<EndedCall, "run_id" | "continued"> {
  const record = (result ?? {}) as Record<string, unknown>;
  const items: unknown[] = Array.isArray(record["runs"]) ? record["runs"] : [record];
  const continued = items.flatMap((item) => {
    const { run_id, traceparent } = (item ?? {}) as Record<string, unknown>;
    const isBoth = typeof run_id === "string" && typeof traceparent === "string";
    return isBoth ? [{ run_id, traceparent }] : [];
  });
  const { run_id } = record;
  return { run_id: typeof run_id === "string" ? run_id : null, continued };
}
