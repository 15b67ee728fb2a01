// Stands between a foreign client and the host, and forwards frames as they are. It records what went
// over the wire, whatever the client makes of it, and can cut the line at a chosen frame.

import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { WebSocket, WebSocketServer, type RawData } from "ws";

export type Json = any;

export interface Frame {
  from: "client" | "host";
  /** The connection, counted from 1. */
  line: number;
  text: string;
  frame: Json;
}

type Verdict = "pass" | "cut" | "deliver_and_cut";

export class Relay {
  readonly frames: Frame[] = [];
  /** Whether each upgrade carried a token. */
  readonly upgrades: boolean[] = [];
  private judge: (frame: Frame) => Verdict = () => "pass";
  private readonly sockets = new Set<WebSocket>();
  private watchers: (() => void)[] = [];

  private constructor(private readonly server: WebSocketServer, private readonly target: string) {
    server.on("connection", (near, request) => this.join(near, request.headers.authorization));
  }

  static async start(target: string): Promise<Relay> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", maxPayload: 2 ** 24 });
    await once(server, "listening");
    return new Relay(server, target);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/rpc`;
  }

  /** From now on `judge` decides about each frame; "cut" drops it and the line with it. */
  cutWhen(judge: (frame: Frame) => Verdict): void {
    this.judge = judge;
  }

  /** The first frame, past or to come, that fits. */
  async seen(fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => this.watchers.push(resolve));
    }
  }

  /** Requests of the client to this method, in order. */
  sent(method: string): Json[] {
    return this.frames
      .filter(({ from }) => from === "client")
      .flatMap(({ frame }) => (Array.isArray(frame) ? frame : [frame]))
      .filter((request) => request.method === method);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    const closed = once(this.server, "close");
    this.server.close();
    await closed;
  }

  private join(near: WebSocket, authorization: string | undefined): void {
    this.upgrades.push(authorization !== undefined);
    const line = this.upgrades.length;
    const headers = authorization === undefined ? {} : { authorization };
    const far = new WebSocket(this.target, { headers, maxPayload: 2 ** 24 });
    const early: string[] = [];
    const cut = () => {
      near.terminate();
      far.terminate();
    };
    const forward = (from: Frame["from"], data: RawData) => {
      const frame = { from, line, text: String(data), frame: JSON.parse(String(data)) };
      const verdict = this.judge(frame);
      this.frames.push(frame);
      const waiting = this.watchers;
      this.watchers = [];
      for (const watcher of waiting) watcher();
      const to = from === "client" ? far : near;
      if (verdict === "cut") return cut();
      if (to.readyState === WebSocket.CONNECTING) early.push(frame.text);
      else to.send(frame.text, () => verdict === "deliver_and_cut" && cut());
    };
    near.on("message", (data) => forward("client", data));
    far.on("message", (data) => forward("host", data));
    far.on("open", () => early.forEach((text) => far.send(text)));
    for (const [one, other] of [[near, far], [far, near]] as const) {
      this.sockets.add(one);
      one.on("error", () => undefined);
      one.on("close", (code) => {
        if (code === 1006 || code === 1005) other.terminate();
        else other.close(code);
      });
    }
  }
}

/** One line per frame; secrets and what the database numbers are not shown. */
export function writeTranscript(frames: readonly Frame[]): string {
  const lines = frames.map(({ from, text }) => {
    const said = text
      .replace(/rh_[A-Za-z0-9]+_[A-Za-z0-9_-]+/g, "rh_…")
      .replace(/("claim_token":")[0-9a-f]{32}/g, "$1…");
    const cut = said.length > 400 ? `${said.slice(0, 400)} … (${said.length} characters)` : said;
    return `${from === "client" ? "→" : "←"} ${cut}`;
  });
  return `${lines.join("\n")}\n`;
}

/** Kept in the folder that WRITE_TRANSCRIPTS names, when it does. */
export async function keepTranscript(name: string, frames: readonly Frame[]): Promise<void> {
  const folder = process.env["WRITE_TRANSCRIPTS"];
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.txt`), writeTranscript(frames));
}
