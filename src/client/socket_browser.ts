// The platform's own WebSocket, for browsers: the same as socket.ts, without Node. The platform
// answers the host's pings itself and tells nobody why a connection did not come about.

import type { Closing, OpenSocket, Socket } from "./socket.js";

/** What is used of the platform's WebSocket; Node's types do not describe it. */
interface PlatformSocket {
  readonly readyState: number;
  send(text: string): void;
  close(code: number, reason: string): void;
  addEventListener(type: string, hear: (event: any) => void): void;
}

const close_ms = 2000;
/** The platform's readyState of a connection that takes what is sent. */
const open_state = 1;

export const openSocket: OpenSocket = (url, signal) =>
  new Promise((resolve, reject) => {
    const { WebSocket } = globalThis as any;
    const ws: PlatformSocket = new WebSocket(url);
    let end: (closing: Closing) => void = () => undefined;
    const closed = new Promise<Closing>((settle) => (end = settle));
    // A platform without a peer waits long for its close frame: the end is told without it.
    const cut = (reason: string): void => {
      end({ code: 1006, reason });
      reject(new Error(reason));
      ws.close(1000, "");
    };
    const abandon = (): void => cut("no answer in time");
    signal.addEventListener("abort", abandon, { once: true });
    ws.addEventListener("close", ({ code, reason }) => {
      end({ code, reason });
      reject(new Error(reason || "the connection was not accepted"));
    });
    const close = (code: number, reason: string): void => {
      // A program may send 1000 and 3000 to 4999 only.
      ws.close(code === 1000 ? 1000 : 4000, reason);
      const timer = setTimeout(() => end({ code: 1006, reason }), close_ms);
      void closed.then(() => clearTimeout(timer));
    };
    const send = (text: string): boolean => {
      if (ws.readyState !== open_state) return false;
      ws.send(text);
      return true;
    };
    const onText: Socket["onText"] = (hear) =>
      ws.addEventListener("message", ({ data }) => hear(String(data)));
    ws.addEventListener("open", () => {
      signal.removeEventListener("abort", abandon);
      resolve({ send, onText, close, cut, closed });
    });
  });
