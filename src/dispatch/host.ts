// Where actions register and what comes of it: a sealed map from wire name to declaration. Refuses,
// at start, a duplicate, a name outside the closed list, a late registration, a name without an
// action and an open door that is not one of the three.

import type { ActionHost, AnyAction } from "../actions/action.js";
import { actionNames, type ActionName } from "../contract/action_names.js";

export interface SealedActions {
  get(method: string): AnyAction | undefined;
  /** Every action, in the order of the closed list. */
  readonly all: readonly AnyAction[];
}

const openNames: ReadonlySet<string> = new Set(["plugin_connect", "ping", "rpc.discover"]);

export function createHost(): ActionHost & { seal(): SealedActions } {
  const known: ReadonlySet<string> = new Set(actionNames);
  const registered = new Map<string, AnyAction>();
  let isSealed = false;

  return {
    action(declared) {
      const { name, access } = declared;
      if (isSealed) throw new Error(`${name} registers after the host was sealed`);
      if (!known.has(name)) throw new Error(`${name} is not in the list of action names`);
      if (registered.has(name)) throw new Error(`${name} is registered twice`);
      if (access.kind === "open" && !openNames.has(name)) {
        throw new Error(`${name} may not be open to every connection`);
      }
      registered.set(name, Object.freeze({ ...declared }) as unknown as AnyAction);
    },
    seal() {
      if (isSealed) throw new Error("the host is sealed already");
      const missing = actionNames.filter((name) => !registered.has(name));
      if (missing.length > 0) throw new Error(`no action is registered for ${missing.join(", ")}`);
      isSealed = true;
      const all = actionNames.map((name: ActionName) => registered.get(name)!);
      return Object.freeze({ get: (method: string) => registered.get(method), all });
    },
  };
}
