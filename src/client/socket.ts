// The only importer of ws on the client's side, the counterpart of wire/server.ts: text out, text
// in and one end. It knows nothing of JSON-RPC. socket_browser.ts is the same for browsers.

import { WebSocket } from "ws";

export interface Closing {
  /** WebSocket close code; 1006 when the connection ended without a close frame. */
  code: number;
  reason: string;
}

export interface Socket {
  /** Whether it was taken; on a connection that is closing nothing leaves any more. */
  send(text: string): boolean;
  /** One listener; it hears from the first frame on. */
  onText(listener: (text: string) => void): void;
  /** Safe to call twice; a peer that does not answer the close frame is cut. */
  close(code: number, reason: string): void;
  /** Ends it at once, for a peer that is not there any more. */
  cut(reason: string): void;
  /** Settles when the connection is gone, whoever ended it; never rejects. */
  readonly closed: Promise<Closing>;
}

/** Rejects where no WebSocket comes about, and when the signal aborts first. */
export type OpenSocket = (url: string, signal: AbortSignal) => Promise<Socket>;

const close_ms = 2000;

export const openSocket: OpenSocket = (url, signal) =>
  new Promise((resolve, reject) => {
    const ws = new WebSocket(url, { perMessageDeflate: false });
    let failure = "";
    const closed = new Promise<Closing>((settle) => {
      ws.once("close", (code, reason) => settle({ code, reason: reason.toString() || failure }));
    });
    const fail = (why: string, cause?: unknown): void => {
      failure ||= why;
      reject(new Error(failure, { cause }));
    };
    const cut = (why: string): void => {
      fail(why);
      ws.terminate();
    };
    const abandon = (): void => cut("no answer in time");
    signal.addEventListener("abort", abandon, { once: true });
    // A name with several addresses fails with an empty message and a code.
    ws.on("error", (cause: NodeJS.ErrnoException) => fail(cause.message || String(cause.code)));
    const close = (code: number, reason: string): void => {
      ws.close(code, reason);
      const timer = setTimeout(() => ws.terminate(), close_ms);
      void closed.then(() => clearTimeout(timer));
    };
    const send = (text: string): boolean => {
      if (ws.readyState !== WebSocket.OPEN) return false;
      ws.send(text, () => undefined);
      return true;
    };
    const onText: Socket["onText"] = (hear) => void ws.on("message", (data) => hear(String(data)));
    ws.once("open", () => {
      signal.removeEventListener("abort", abandon);
      resolve({ send, onText, close, cut, closed });
    });
  });
