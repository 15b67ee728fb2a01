// The only importer of ws on the client's side, the counterpart of wire/server.ts: text out, text
// in and one end. It knows nothing of JSON-RPC. Called by client.ts only.

import { WebSocket } from "ws";

export interface Closing {
  /** WebSocket close code; 1006 when the connection ended without a close frame. */
  code: number;
  reason: string;
}

export interface Socket {
  send(text: string): void;
  onText(listener: (text: string) => void): void;
  /** Safe to call twice; a peer that does not answer the close frame is cut. */
  close(code: number, reason: string): void;
  /** Settles when the connection is gone, whoever ended it; never rejects. */
  readonly closed: Promise<Closing>;
}

const close_ms = 2000;

/** Rejects where no WebSocket comes about. */
export function openSocket(url: string, open_ms: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: open_ms });
    let failure = "";
    const closed = new Promise<Closing>((settle) => {
      ws.once("close", (code, reason) => settle({ code, reason: reason.toString() || failure }));
    });
    // A name with several addresses fails with an empty message and a code.
    ws.on("error", (cause: NodeJS.ErrnoException) => {
      failure = cause.message || String(cause.code);
      reject(new Error(failure, { cause }));
    });
    const close = (code: number, reason: string): void => {
      ws.close(code, reason);
      setTimeout(() => ws.terminate(), close_ms).unref();
    };
    const onText: Socket["onText"] = (hear) => void ws.on("message", (data) => hear(String(data)));
    ws.once("open", () => resolve({ send: (text) => ws.send(text), onText, close, closed }));
  });
}
