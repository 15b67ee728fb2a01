// Colour, for people at a terminal only: never where the output goes elsewhere, nor where NO_COLOR
// is set to anything (no-color.org) or the terminal is dumb.

const codes = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2 } as const;
export type Colour = keyof typeof codes;
export type Paint = (colour: Colour, text: string) => string;

export function createPaint(
  environment: NodeJS.ProcessEnv,
  stream: { isTTY?: boolean } = process.stdout,
): Paint {
  const isPlain = stream.isTTY !== true || Boolean(environment["NO_COLOR"])
    || environment["TERM"] === "dumb";
  return isPlain ? (_colour, text) => text
    : (colour, text) => `\u001b[${codes[colour]}m${text}\u001b[0m`;
}

const colours: Readonly<Record<string, Colour>> = {
  completed: "green", online: "green", failed: "red", timeout: "red", stale: "red",
  cancelled: "yellow", draining: "yellow", offline: "yellow", claimed: "cyan", running: "cyan",
};

/** A cell that is a status gets the colour of that status; others stay as they are. */
export const paintStatus = (paint: Paint) => (cell: string): string => {
  const colour = Object.hasOwn(colours, cell) ? colours[cell] : undefined;
  return colour === undefined ? cell : paint(colour, cell);
};
