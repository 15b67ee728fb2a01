// Whoever is refused before a run is looked at costs the database nothing (house.md §4, rungs 1–5):
// the statements that a host sends are counted around each kind of refusal.

import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { AccessWorld, nameAnswer, type CallerName } from "../support/access_world.js";
import { useClone } from "../support/clone.js";
import { contextFrames } from "./sheet_context_frames.js";

const clone = useClone();
let world: AccessWorld;

beforeAll(async () => {
  world = await AccessWorld.start(clone());
});
afterAll(() => world.stop());

/** Identities in use are read again every 2 s, whatever is called. */
const background = "plugin_facts";
/** A refusal that read facts for itself would read them each time. */
const repeats = 4;

async function countStatements(
  ask: () => Promise<string>,
): Promise<{ answer: string; sent: string[] }> {
  let answer = "";
  let fewest: string[] | null = null;
  const foreign: string[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const before = world.statements.length;
    answer = await ask();
    const sent = world.statements.slice(before);
    foreign.push(...sent.filter((name) => name !== background));
    if (fewest === null || sent.length < fewest.length) fewest = sent;
  }
  return { answer, sent: [...foreign, ...(fewest ?? [])] };
}

/** One frame as it is, and the frame that answers it. */
function exchange(socket: WebSocket, text: string): Promise<string> {
  return new Promise((resolve) => {
    socket.once("message", (data) => {
      const answer = JSON.parse(String(data));
      const first = Array.isArray(answer) ? answer[0] : answer;
      resolve(nameAnswer(first));
    });
    socket.send(text);
  });
}

const call = (method: string, params: unknown) =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });
const batch = (size: number) =>
  JSON.stringify(Array.from({ length: size }, (_, id) =>
    ({ jsonrpc: "2.0", id, method: "ping", params: {} })));
const event = {
  sequence: 1, type: "tool.call.started", data: { tool_call_id: "c", tool_name: "t" },
};

type Frame = readonly [title: string, caller: CallerName | "nobody", text: string, answer: string];

const frames: readonly Frame[] = [
  ["parse error", "plain", "{", "PARSE_ERROR"],
  ["not a request", "plain", "{\"jsonrpc\":\"2.0\",\"id\":1}", "INVALID_REQUEST"],
  ["another version", "plain", "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"run_get\"}",
    "INVALID_REQUEST"],
  ["id null", "plain", "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"run_get\",\"params\":{}}",
    "INVALID_REQUEST"],
  ["empty batch", "plain", "[]", "INVALID_REQUEST"],
  ["oversized batch", "plain", batch(101), "INVALID_REQUEST"],
  ["no login", "nobody", call("run_get", { run_id: "r" }), "UNAUTHENTICATED"],
  ["no login, unknown method", "nobody", call("no_method", {}), "UNAUTHENTICATED"],
  ["a token that is none", "nobody", call("plugin_connect", { token: "word" }), "UNAUTHENTICATED"],
  ["identity mismatch", "plain", call("run_get", { run_id: "r", caller_plugin_identity: "a/b" }),
    "FORBIDDEN/identity_mismatch"],
  ["delegate names the built-in identity", "delegate",
    call("run_get", { run_id: "r", caller_plugin_identity: "runhost/admin" }),
    "FORBIDDEN/identity_mismatch"],
  ["delegate names what is no identity", "delegate",
    call("run_get", { run_id: "r", caller_plugin_identity: "no identity" }),
    "FORBIDDEN/identity_mismatch"],
  ["unknown method", "plain", call("no_method", {}), "METHOD_NOT_FOUND"],
  ["a member of every object", "plain", call("constructor", {}), "METHOD_NOT_FOUND"],
  ...["plugin_register", "plugin_list", "plugin_rotate_token", "plugin_set_enabled", "run_create",
    "run_stats", "runner_stats", "runtime_stats", "runtime_reconcile", "audit_page"]
    .map((method): Frame => [`no permission for ${method}`, "plain", call(method, {}),
      "FORBIDDEN/permission_missing"]),
  ["permission before params", "plain", call("run_create", { nonsense: 1 }),
    "FORBIDDEN/permission_missing"],
  ["a run does for no permission", "plain", call("run_stats", { run_id: "r" }),
    "FORBIDDEN/permission_missing"],
  ["statistics of runs by a claimer's permission", "runtime_admin", call("run_stats", {}),
    "FORBIDDEN/permission_missing"],
  ["a sweep by an administrator of runs", "run_admin", call("runtime_reconcile", {}),
    "FORBIDDEN/permission_missing"],
  ["audit of a domain that is not the caller's", "run_admin",
    call("audit_page", { domain: "plugin" }), "FORBIDDEN/permission_missing"],
  ["audit of another tenant", "plugin_admin",
    call("audit_page", { tenant_id: "tenant-b", domain: "plugin" }),
    "FORBIDDEN/permission_missing"],
  ["params as a list", "plain", call("run_get", ["r"]), "INVALID_PARAMS"],
  ["unknown parameter", "plain", call("run_get", { run_id: "r", nonsense: null }),
    "INVALID_PARAMS/nonsense"],
  ["wrong type", "plain", call("run_get", { run_id: 5 }), "INVALID_PARAMS/run_id"],
  ["not coerced", "plain", call("run_append_result", { run_id: "r", ...event, sequence: "1" }),
    "INVALID_PARAMS/sequence"],
  ["too deep", "plain", call("run_append_result", { run_id: "r", ...event, metadata: nested(64) }),
    "INVALID_PARAMS"],
  ["NUL", "plain", call("run_get", { run_id: "a\0b" }), "INVALID_PARAMS/run_id"],
  ["NUL deep inside", "plain",
    call("run_append_result", { run_id: "r", ...event, metadata: { a: ["\0"] } }),
    "INVALID_PARAMS/metadata.a.0"],
  ["unpaired surrogate", "plain", call("run_get", { run_id: "\ud800" }), "INVALID_PARAMS/run_id"],
  ["empty filter", "plain", call("run_list", { run_id: "r", statuses: [] }),
    "INVALID_PARAMS/statuses"],
  ["bad cursor", "plain", call("run_events_page", { run_id: "r", after_cursor: 5 }),
    "INVALID_PARAMS/after_cursor"],
  ["no target", "plain", call("run_get", {}), "INVALID_PARAMS/target_run_id"],
  ["nothing to wait for", "plain", call("run_wait", {}), "INVALID_PARAMS/target_run_id"],
  ["no path applies to a wait", "plain", call("run_wait", { target_run_id: "r" }),
    "INVALID_PARAMS/run_id"],
  ["nothing to explain", "plain", call("run_explain", {}), "INVALID_PARAMS/target_run_id"],
  ["no path applies to an explanation", "plain", call("run_explain", { target_run_id: "r" }),
    "INVALID_PARAMS/run_id"],
  ["nothing to retry", "run_admin", call("run_retry", {}), "INVALID_PARAMS/target_run_id"],
  ["half a claim", "plain", call("run_append_result", { run_id: "r", ...event, runtime_id: "x" }),
    "INVALID_PARAMS/claim_token"],
  ["unknown result type", "plain",
    call("run_append_result", { run_id: "r", ...event, type: "no.type" }),
    "RESULT_REJECTED/unknown_type"],
  ["invalid payload", "plain", call("run_append_result", { run_id: "r", ...event, data: {} }),
    "RESULT_REJECTED/invalid_payload"],
  ["side-effecting type", "plain",
    call("run_append_result", { run_id: "r", sequence: 1, type: "run.completed" }),
    "RESULT_REJECTED/side_effecting_type"],
  ["result too large", "plain",
    call("run_append_result", { run_id: "r", ...event, metadata: { a: "x".repeat(1_048_600) } }),
    "PAYLOAD_TOO_LARGE/result"],
  ["no path applies", "plain", call("run_get", { target_run_id: "r" }), "INVALID_PARAMS/run_id"],
  ["no path applies to a list", "plain", call("run_list", {}), "INVALID_PARAMS/run_id"],
  ["no path applies to a write", "plain",
    call("run_append_result", { target_run_id: "r", ...event }), "INVALID_PARAMS/run_id"],
  ["emit without a run", "run_admin", call("run_emit_result", { target_run_id: "r", ...event }),
    "INVALID_PARAMS/run_id"],
  ["force without the permission", "plain",
    call("run_append_result", { run_id: "r", ...event, force: true }),
    "FORBIDDEN/permission_missing"],
  ["force with a claim", "run_admin", call("run_finalize",
    { target_run_id: "r", status: "failed", runtime_id: "x", claim_token: "y", force: true }),
    "INVALID_PARAMS/force"],
  ["runner of another plugin", "plain",
    call("runner_register", { runners: [{ id: "plugin:acme/owner/r" }] }),
    "FORBIDDEN/out_of_scope"],
  ["runners of another plugin", "plain", call("runner_list", { include_plugins: ["acme/owner"] }),
    "FORBIDDEN/out_of_scope"],
  ["claiming another plugin's runner", "plain",
    call("run_claim", { runtime_id: "rt_plain", runner_ids: ["plugin:acme/owner/r"] }),
    "FORBIDDEN/out_of_scope"],
  ["another tenant", "plugin_admin", call("plugin_list", { tenant_id: "tenant-b" }),
    "FORBIDDEN/permission_missing"],
  ["a workspace outside the permission", "limited", call("run_create",
    { runner_id: "plugin:acme/owner/r", workspace_id: "w2", allow_unregistered_runner: true }),
    "FORBIDDEN/out_of_scope"],
];

test.each([...frames, ...contextFrames])("no statement: %s", async (_title, caller, text, due) => {
  const socket = caller === "nobody"
    ? new WebSocket(world.host.url) : world.of(caller).socket;
  if (caller === "nobody") await new Promise((resolve) => socket.once("open", resolve));
  const { answer, sent } = await countStatements(async () => {
    const got = await exchange(socket, text);
    return due.includes("/") ? got : got.split("/")[0]!;
  });
  if (caller === "nobody") socket.terminate();
  expect({ answer, sent }).toEqual({ answer: due, sent: [] });
});

test("an admitted call is counted", async () => {
  const { sent } = await countStatements(async () =>
    nameAnswer((await world.of("plain").ask("run_get", { run_id: "r" })) as never));
  expect(sent.length).toBeGreaterThanOrEqual(repeats);
});
