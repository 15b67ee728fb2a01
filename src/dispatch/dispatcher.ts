// One path for every call: who calls, does the method exist, may they, are the params right, the
// grant, the handler, and is the result what was declared. The order is the contract's and the same
// for every method. It throws what refuse.ts turns into JSON and writes one log line per call.

import type {
  AnyAction, Call, CallingConnection, CallLog, HostFacts, Principal,
} from "../actions/action.js";
import { namedTarget } from "../actions/action.js";
import { identifyCaller, requirePermission, type Arrival, type Caller } from "../authz/admit.js";
import { mintGrant } from "../authz/grant.js";
import type { Directory } from "../authz/plugins.js";
import type { Access, AccessKind } from "../contract/access.js";
import { listIssues, Refusal } from "../contract/errors.js";
import type { Ledger } from "../ledger/ledger.js";
import { codeOf, logCall } from "./call_log.js";
import type { SealedActions } from "./host.js";
import { answerItems, isParams, itemsOf, listIn, type ListItem } from "./item_lists.js";
import { possibleRefusals } from "./ladder_refusals.js";
import {
  checkItem, checkList, checkParams, type CheckedParams, type Inspect,
} from "./params.js";
import type { Refuser } from "./refuse.js";

export interface IncomingCall {
  /** As the peer sent it; absent for a notification. */
  id?: string | number | undefined;
  method: string;
  /** Plain object that has passed the frame gate. */
  params: Record<string, unknown>;
  /** What the frame gate finds in the params; asked when the params are looked at. */
  inspect: Inspect;
  connection: CallingConnection & {
    /** A delegated call was admitted: the connection counts as this identity's too. */
    calledAs(principal: Principal): void;
  };
  signal: AbortSignal;
  /** What is to follow the answer, or that of its batch. */
  afterAnswer(work: () => void): void;
  /** W3C; where the call stands in its trace. */
  traceparent?: string | null;
  /** Told in whose name the call is judged, once that is known. */
  noteCaller?(caller: Pick<Caller, "principal" | "via"> | null): void;
  /** Settles when the call may be looked at, or rejects with what refuses it. */
  admission?: Promise<void>;
  /** Told when the next call of the same method on the same run may start. */
  handOn(): void;
}

export interface Dispatcher {
  /** The runs that this call writes to, each once: such calls keep their order on a connection. */
  orderKeys(method: string, params: Record<string, unknown>): readonly string[];
  /** How many calls a call in list form stands for; null for one that stands alone. */
  listed(method: string, params: Record<string, unknown>): number | null;
  /** `effect` settles, never rejects, once the write took effect or was refused; `answer`
      resolves with the result or rejects with what refuse.ts is to be given. */
  call(input: IncomingCall): { effect: Promise<void>; answer: Promise<unknown> };
}

export interface DispatcherParts {
  actions: SealedActions;
  directory: Pick<Directory, "standing">;
  ledger: Ledger;
  /** Instant that tests set, ISO 8601; null is the database clock. */
  clock: { now(): string | null };
  host_facts: HostFacts;
  /** Days for which an ended run still lets its plugin read it. */
  read_days: number;
  log: CallLog;
  /** What is to stand in the place of an item of a list that was refused. */
  refuse: Refuser;
}

type AnyCall = Call<unknown, Access>;
/** A call that has passed the steps that need no params. */
interface Admitted {
  input: IncomingCall;
  action: AnyAction;
  arrival: Arrival;
  caller: Caller | null;
}
interface Started {
  call: AnyCall;
  handling: Promise<unknown>;
}

const orderedKinds: ReadonlySet<AccessKind> = new Set(["write", "claim", "cancel"]);

export function createDispatcher(parts: DispatcherParts): Dispatcher {
  return {
    orderKeys(method, params) {
      const action = parts.actions.get(method);
      if (action === undefined) return [];
      const list = listIn(action, params);
      if (list === undefined) return listWrittenRun(action, params);
      const calls = itemsOf(list).filter(isParams);
      return [...new Set(calls.flatMap((call) => listWrittenRun(action, call)))];
    },
    listed(method, params) {
      const list = listIn(parts.actions.get(method), params);
      return list === undefined ? null : Math.max(1, itemsOf(list).length);
    },
    call(input) {
      let takeEffect = nothing;
      const effect = new Promise<void>((resolve) => {
        takeEffect = resolve;
      });
      return { effect, answer: answerCall(parts, input, takeEffect) };
    },
  };
}

/** One promise for all steps: each more costs every call. */
async function answerCall(
  parts: DispatcherParts,
  input: IncomingCall,
  takeEffect: () => void,
): Promise<unknown> {
  const started_ms = performance.now();
  const trace: { caller: Caller | null } = { caller: null };
  const report = (code: ReturnType<typeof codeOf> | "ok"): void =>
    logCall(parts.log, {
      method: input.method,
      code,
      duration_ms: Math.round((performance.now() - started_ms) * 1000) / 1000,
      principal: trace.caller?.principal ?? input.connection.principal,
      via: trace.caller?.via ?? null,
    });
  try {
    const result = await handle(parts, input, { trace, takeEffect });
    report("ok");
    return result;
  } catch (thrown) {
    takeEffect();
    const judged = judgeRefusal(parts.actions.get(input.method), thrown);
    report(codeOf(judged));
    throw judged;
  }
}

async function handle(
  parts: DispatcherParts,
  input: IncomingCall,
  { trace, takeEffect }: { trace: { caller: Caller | null }; takeEffect: () => void },
): Promise<unknown> {
  if (input.admission !== undefined) await input.admission;
  const { method, params: given, inspect } = input;
  const action = parts.actions.get(method);
  const arrival = readArrival(input, action);
  const caller = await identifyCaller(parts.directory, arrival);
  trace.caller = caller;
  input.noteCaller?.(caller);
  if (action === undefined) throw unknownMethod(method);
  requirePermission(caller, action.access);
  const admitted: Admitted = { input, action, arrival, caller };
  const { list } = action;
  if (list !== undefined && listIn(action, given) !== undefined) {
    const answer = await handleList(parts, admitted, checkList(list, given, inspect));
    takeEffect();
    return answer;
  }
  const { call, handling } = start(parts, admitted, checkParams(action, given, inspect));
  if (action.ordered === true) input.handOn();
  const result = await handling;
  takeEffect();
  return finish(action, call, result);
}

async function handleList(
  parts: DispatcherParts,
  admitted: Admitted,
  items: readonly unknown[],
): Promise<unknown> {
  const { input, action } = admitted;
  const answering = answerItems(action, items, async (item): Promise<ListItem> => {
    try {
      const { call, handling } = start(parts, admitted, checkItem(action, item, input.inspect));
      return { result: await finish(action, call, await handling) };
    } catch (thrown) {
      return { error: parts.refuse(judgeRefusal(action, thrown), action.name) };
    }
  });
  if (action.ordered === true) input.handOn();
  return { items: await answering };
}

/** From the checked params on; where the ledger keeps the order, it has the write by return. */
function start(
  parts: DispatcherParts,
  { input, action, arrival, caller }: Admitted,
  { params, sent }: CheckedParams,
): Started {
  const { connection, signal, afterAnswer, traceparent = null } = input;
  // From what was sent and found right: a schema may give its handler another shape.
  const mint = (as: Caller | null) => mintGrant({
    action, caller: as, params: sent, now: parts.clock.now(), read_days: parts.read_days,
  });
  const grant = mint(caller);
  const again = async () => {
    const present = await identifyCaller(parts.directory, arrival);
    requirePermission(present, action.access);
    return mint(present);
  };
  if (caller !== null && caller.via !== null) connection.calledAs(caller.principal);
  const { ledger, log, host_facts: host } = parts;
  // Not by spreading: it would cost as much as the rest of this function.
  const call: AnyCall = {
    params, sent, grant, again, afterAnswer, ledger, log, host, connection, signal, traceparent,
  };
  return { call, handling: action.handle(call) };
}

/** The answer to a call that took effect; a promise only where the action waits for more. */
function finish(action: AnyAction, call: AnyCall, result: unknown): unknown {
  if (action.settle === undefined) return checkResult(action, result);
  return action.settle(call, result).then((settled) => checkResult(action, settled));
}

/** The run that a call writes to, if it does. */
function listWrittenRun(action: AnyAction, params: Record<string, unknown>): readonly string[] {
  const { writesTo, access } = action;
  const targetOf = writesTo ?? (orderedKinds.has(access.kind) ? namedTarget : null);
  const run = targetOf === null ? null : targetOf(params);
  return run === null ? [] : [run];
}

function readArrival({ connection, params }: IncomingCall, action: AnyAction | undefined): Arrival {
  const { caller_plugin_identity } = params;
  return { access: action?.access, principal: connection.principal, caller_plugin_identity };
}

function unknownMethod(method: string): Refusal {
  return new Refusal("METHOD_NOT_FOUND", { method: method.slice(0, 255) });
}

/** A refusal that neither the ladder nor the action declares is a mistake of ours. */
function judgeRefusal(action: AnyAction | undefined, thrown: unknown): unknown {
  if (action === undefined || !(thrown instanceof Refusal)) return thrown;
  if (possibleRefusals(action).includes(thrown.code)) return thrown;
  return new Error(`${action.name} does not declare the refusal ${thrown.code}`, { cause: thrown });
}

function checkResult(action: AnyAction, result: unknown): unknown {
  const parsed = action.result.safeParse(result);
  if (parsed.success) return parsed.data;
  const found = listIssues(parsed.error).slice(0, 5);
  const where = found.map((issue) => `${issue.path}: ${issue.message}`).join("; ");
  throw new Error(`${action.name} answers outside its result schema: ${where}`);
}

function nothing(): void {}
