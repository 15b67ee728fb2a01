// Copies JSON without inline binary, for the event log and the transcript: a string under
// image_base64 or file_base64, or under content of an attachment, becomes null, and its object gets
// content_redacted: true. It walks with its own list instead of the stack; the value sent is kept.

type Branch = Record<string, unknown> | unknown[];

interface Copying {
  from: Branch;
  to: Branch;
  /** Names under which a string of this object is binary. */
  binary: ReadonlySet<string>;
  /** True for the list `attachments` of the outermost object. */
  attachments: boolean;
}

const binaryNames: ReadonlySet<string> = new Set(["image_base64", "file_base64"]);
const attachmentNames: ReadonlySet<string> = new Set([...binaryNames, "content"]);

/** A deep copy of `value` without inline binary; elements of its `attachments` are attachments. */
export function removeBinary(value: Record<string, unknown>): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  const open: Copying[] = [{ from: value, to: copy, binary: binaryNames, attachments: false }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    copyMembers(next, { root: next.from === value, open });
  }
  return copy;
}

function copyMembers(one: Copying, walk: { root: boolean; open: Copying[] }): void {
  if (Array.isArray(one.from)) {
    const to = one.to as unknown[];
    for (const element of one.from) {
      to.push(copyValue(element, { binary: one.attachments, attachments: false }, walk.open));
    }
    return;
  }
  const to = one.to as Record<string, unknown>;
  let redacted = false;
  for (const [name, member] of Object.entries(one.from)) {
    const isBinary = typeof member === "string" && one.binary.has(name);
    redacted ||= isBinary;
    const attachments = walk.root && name === "attachments";
    to[name] = isBinary ? null : copyValue(member, { binary: false, attachments }, walk.open);
  }
  if (redacted) to["content_redacted"] = true;
}

function copyValue(
  value: unknown,
  is: { binary: boolean; attachments: boolean },
  open: Copying[],
): unknown {
  if (typeof value !== "object" || value === null) return value;
  const from = value as Branch;
  const to: Branch = Array.isArray(from) ? [] : {};
  const binary = is.binary ? attachmentNames : binaryNames;
  open.push({ from, to, binary, attachments: is.attachments });
  return to;
}
