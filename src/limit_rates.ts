// Puts the rates of authz in front of calls and logins, by standing between the floors that main
// builds: neither wire nor dispatch knows that it is counted.

import type { Directory } from "./authz/plugins.js";
import type { Rates } from "./authz/rates.js";
import { Refusal } from "./contract/errors.js";
import type { Dispatcher } from "./dispatch/dispatcher.js";
import type { Identities } from "./wire/parts.js";

/** Counts each call of a connection that has proved an identity, under that identity; a list as
    the calls that it stands for. */
export function limitCalls(dispatcher: Dispatcher, rates: Rates): Dispatcher {
  return {
    ...dispatcher,
    call(input) {
      const { principal } = input.connection;
      if (principal === null) return dispatcher.call(input);
      const calls = dispatcher.listed(input.method, input.params) ?? 1;
      const started = rates.countCalls(principal, calls).then(() => dispatcher.call(input));
      return {
        effect: started.then(({ effect }) => effect, () => undefined),
        answer: started.then(({ answer }) => answer),
      };
    },
  };
}

export function limitLogins(directory: Directory, rates: Rates): Identities {
  return {
    permissions: (principal) => directory.permissions(principal),
    hold: (proof) => directory.hold(proof),
    async identify(plugin_token, address) {
      await rates.checkFailures(address);
      const proof = await directory.identify(plugin_token).catch(async (thrown: unknown) => {
        if (thrown instanceof Refusal && thrown.code === "UNAUTHENTICATED") {
          await rates.countFailure(address);
        }
        throw thrown;
      });
      await rates.countConnect(proof.principal);
      return proof;
    },
  };
}
