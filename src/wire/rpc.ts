// The room of json-rpc-2.0: routes one checked request into the dispatcher and writes every text
// that leaves a connection. Nothing here rejects, prints, or shows what was thrown: `refuse` alone
// says what a failure looks like. Batches are joined by the connection, in request order.

import {
  createJSONRPCErrorResponse, createJSONRPCNotification, JSONRPCServer, type JSONRPCResponse,
} from "json-rpc-2.0";
import type { Refusal } from "../contract/errors.js";
import type { Refuser } from "../dispatch/refuse.js";
import type { CheckedRequest, RequestId } from "./frame.js";

/** Starts the call of a request; rejects with anything. */
export type RunCall = () => Promise<unknown>;

export interface Rpc {
  /** The text of the answer, or null for a notification. */
  serve(request: CheckedRequest, run: RunCall): Promise<string | null>;
  refusal(id: RequestId | null, refusal: Refusal): string;
  notification(method: string, params: Record<string, unknown>): string;
}

export function createRpc(refuse: Refuser): Rpc {
  const answerError = (id: RequestId | null, thrown: unknown, method: string | null) => {
    const { code, message, data } = refuse(thrown, method);
    return createJSONRPCErrorResponse(id, code, message, data);
  };

  const server = new JSONRPCServer<RunCall>({ errorListener: () => undefined });
  server.mapErrorToJSONRPCErrorResponse = (id, thrown) => answerError(id, thrown, null);
  // Which methods exist is the dispatcher's to say, after it knows who asks: all go the same way.
  server.applyMiddleware(async (_next, request, run): Promise<JSONRPCResponse | null> => {
    const id = request.id ?? null;
    try {
      const result: unknown = await run();
      return id === null ? null : { jsonrpc: "2.0", id, result: result ?? null };
    } catch (thrown) {
      const answer = answerError(id, thrown, request.method);
      return id === null ? null : answer;
    }
  });

  function write(answer: JSONRPCResponse, method: string): string {
    try {
      return JSON.stringify(answer);
    } catch (cause) {
      return JSON.stringify(answerError(answer.id, cause, method));
    }
  }

  return {
    async serve({ id, method, params }, run) {
      const answer = await server.receive({ jsonrpc: "2.0", id, method, params }, run);
      return answer === null ? null : write(answer, method);
    },
    refusal: (id, refusal) => JSON.stringify(answerError(id, refusal, null)),
    notification: (method, params) => JSON.stringify(createJSONRPCNotification(method, params)),
  };
}
