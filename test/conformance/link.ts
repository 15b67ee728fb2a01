// One WebSocket of a replay, with ws and nothing else: it keeps the host's notifications apart from
// answers and remembers every frame that nobody waited for. It never reconnects.

import { WebSocket } from "ws";

export type Json = any;

export interface Notification {
  method: string;
  params: Json;
}

export class Link {
  readonly closed: Promise<number>;
  /** Answers that no step waited for. */
  readonly strays: Json[] = [];
  private readonly notifications: Notification[] = [];
  private readonly watchers = new Set<() => void>();
  private waiting: ((frame: Json) => void) | null = null;

  private constructor(readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => socket.on("close", (code) => resolve(code)));
    socket.on("error", () => undefined);
    socket.on("message", (data) => this.hear(JSON.parse(String(data))));
  }

  static async open(url: string, plugin_token: string | null): Promise<Link> {
    const { socket, status } = upgrade(url, plugin_token);
    const link = new Link(socket);
    const answered = await status;
    if (answered !== 101) throw new Error(`the upgrade was refused with ${answered}`);
    return link;
  }

  /** Sends one text frame; the next frame that is not a notification is its answer. */
  exchange(text: string, seconds: number): Promise<Json> {
    const answer = new Promise<Json>((resolve) => (this.waiting = resolve));
    this.socket.send(text);
    const gone = this.closed.then((code) => ({ closed: code }));
    return within(seconds, "no answer came", Promise.race([answer, gone]));
  }

  send(text: string): void {
    this.socket.send(text);
  }

  /** The first notification, heard or to come, that fits; it is taken out. */
  notified(fits: (note: Notification) => boolean, seconds: number): Promise<Notification> {
    return this.listen(seconds, () => {
      const at = this.notifications.findIndex(fits);
      return at >= 0 ? this.notifications.splice(at, 1)[0]! : null;
    });
  }

  /** The oldest `count` ones, heard or to come; they are taken out. Delivery is at least once, so
   *  one that repeats another of them word for word is passed over. */
  nextNotified(count: number, seconds: number): Promise<Notification[]> {
    const taken = new Map<string, Notification>();
    return this.listen(seconds, () => {
      while (taken.size < count && this.notifications.length > 0) {
        const note = this.notifications.shift()!;
        taken.set(JSON.stringify(note), note);
      }
      return taken.size === count ? [...taken.values()] : null;
    });
  }

  refuseHeard(fits: (note: Notification) => boolean): void {
    const heard = this.notifications.find(fits);
    if (heard) throw new Error(`this notification came: ${JSON.stringify(heard)}`);
  }

  private listen<T>(seconds: number, look: () => T | null): Promise<T> {
    const search = async (): Promise<T> => {
      for (;;) {
        const found = look();
        if (found !== null) return found;
        await new Promise<void>((resolve) => this.watchers.add(resolve));
        this.watchers.clear();
      }
    };
    const heard = () => JSON.stringify(this.notifications);
    return within(seconds, () => `no such notification came; heard ${heard()}`, search());
  }

  async close(): Promise<void> {
    this.socket.close();
    const cut = setTimeout(() => this.socket.terminate(), 2000);
    await this.closed;
    clearTimeout(cut);
  }

  private hear(frame: Json): void {
    if (!Array.isArray(frame) && frame?.method !== undefined) {
      this.notifications.push(frame);
      for (const watcher of this.watchers) watcher();
      return;
    }
    const { waiting } = this;
    this.waiting = null;
    if (waiting) waiting(frame);
    else this.strays.push(frame);
  }
}

/** The HTTP status with which an upgrade is answered; 101 when it is accepted. */
export async function readUpgradeStatus(url: string, plugin_token: string | null): Promise<number> {
  const { socket, status } = upgrade(url, plugin_token);
  const answered = await status;
  socket.terminate();
  return answered;
}

function upgrade(url: string, plugin_token: string | null) {
  const headers = plugin_token === null ? {} : { authorization: `Bearer ${plugin_token}` };
  const socket = new WebSocket(url, { headers });
  const status = new Promise<number>((resolve, reject) => {
    socket.once("open", () => resolve(101));
    socket.once("unexpected-response", (_request, response) => {
      resolve(response.statusCode ?? 0);
      socket.terminate();
    });
    socket.once("error", reject);
  });
  return { socket, status };
}

export async function within<T>(
  seconds: number,
  why: string | (() => string),
  promise: Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const fail = () => reject(new Error(typeof why === "string" ? why : why()));
    timer = setTimeout(fail, seconds * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
