// The authorization snapshot of a new run: written once, with the run, and never changed. It also
// holds the keys of the state scopes that the run can name.

import { sha256Hex } from "./identifiers.js";
import { canonicalJson } from "../contract/canonical.js";
import { ownerOfRunner } from "../contract/scalars.js";
import type { NewRun } from "./requests.js";

type Scope = "conversation" | "actor" | "subject" | "runner";

interface Bound {
  run: NewRun;
  binding_id: string;
}

export function buildSnapshot({ run, binding_id }: Bound) {
  const scope = readScope(run);
  const binding_identity = identifyBinding(run);
  const actor = (run.event["actor"] ?? {}) as Record<string, unknown>;
  const subject = (run.event["subject"] ?? {}) as Record<string, unknown>;
  const facts = {
    actor_type: actor["actor_type"] ?? null,
    actor_id: actor["actor_id"] ?? null,
    subject_type: subject["subject_type"] ?? null,
    subject_id: subject["subject_id"] ?? null,
  };
  const shared = {
    version: 2,
    runner_id: run.runner_id,
    binding_identity,
    bot_id: scope.bot_id,
    workspace_id: scope.workspace_id,
  };
  return {
    bot_id: scope.bot_id,
    runner_id: run.runner_id,
    thread_id: scope.thread_id,
    binding_id,
    state_policy: run.snapshot.state_policy,
    workspace_id: scope.workspace_id,
    state_context: {
      actor_id: facts.actor_id,
      actor_type: facts.actor_type,
      scope_keys: keyScopes({ shared, scope, facts }),
      subject_id: facts.subject_id,
      subject_type: facts.subject_type,
    },
    available_apis: run.snapshot.available_apis,
    conversation_id: scope.conversation_id,
    plugin_identity: ownerOfRunner(run.runner_id),
    binding_identity,
  };
}

const readScope = (run: NewRun) => ({
  conversation_id: run.event["conversation_id"] ?? null,
  bot_id: run.event["bot_id"] ?? null,
  workspace_id: run.event["workspace_id"] ?? null,
  thread_id: run.event["thread_id"] ?? null,
});

function identifyBinding(run: NewRun): string {
  if (run.binding_named) return String(run.binding.binding_id);
  const scope = run.binding["scope"] as { type: string; id: string | null };
  return scope.type === "global" ? "global" : `${scope.type}:${scope.id}`;
}

interface KeyParts {
  shared: Record<string, unknown>;
  scope: Record<string, unknown>;
  facts: Record<string, unknown>;
}

/** A scope without its identity has no key: runs cannot name it. */
function keyScopes({ shared, scope, facts }: KeyParts): Partial<Record<Scope, string>> {
  const identities: Record<Scope, Record<string, unknown> | null> = {
    conversation: scope["conversation_id"] === null ? null : {
      conversation_id: scope["conversation_id"], thread_id: scope["thread_id"],
    },
    actor: facts["actor_id"] === null ? null : {
      actor_type: facts["actor_type"] ?? "user", actor_id: facts["actor_id"],
    },
    subject: facts["subject_id"] === null ? null : {
      subject_type: facts["subject_type"] ?? "unknown", subject_id: facts["subject_id"],
    },
    runner: {},
  };
  const keys: Partial<Record<Scope, string>> = {};
  for (const [name, identity] of Object.entries(identities) as [Scope, object | null][]) {
    if (identity === null) continue;
    const hashed = sha256Hex(canonicalJson(Object.assign({ scope: name }, shared, identity)));
    keys[name] = `${name}:v2:${hashed}`;
  }
  return keys;
}
