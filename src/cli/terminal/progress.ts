// One line on stderr that says how far long work has come, at a terminal only; it is wiped before
// anything else is written.

export interface Progress {
  show(text: string): void;
  wipe(): void;
}

type Stream = { isTTY?: boolean; write(text: string): unknown };

export function createProgress(stream: Stream = process.stderr): Progress {
  if (stream.isTTY !== true) return { show: () => undefined, wipe: () => undefined };
  return {
    show: (text) => void stream.write(`\r\u001b[K${text}`),
    wipe: () => void stream.write("\r\u001b[K"),
  };
}
