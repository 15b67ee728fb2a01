// Copies for event log and transcript hold no inline binary; what was sent is not touched.

import { describe, expect, it } from "vitest";
import { removeBinary } from "../../src/actions/redaction.js";
import { nest } from "./schemas.js";

const rows: [why: string, sent: Record<string, unknown>, kept: Record<string, unknown>][] = [
  ["nothing", {}, {}],
  ["plain members", { text: "x", n: 1, t: true, z: null }, { text: "x", n: 1, t: true, z: null }],
  [
    "an image at the top",
    { image_base64: "AA" },
    { image_base64: null, content_redacted: true },
  ],
  [
    "a file in contents",
    { contents: [{ type: "file", file_base64: "AA", file_name: "a" }, { type: "text" }] },
    {
      contents: [
        { type: "file", file_base64: null, file_name: "a", content_redacted: true },
        { type: "text" },
      ],
    },
  ],
  [
    "both kinds in one object",
    { a: { image_base64: "A", file_base64: "B" } },
    { a: { image_base64: null, file_base64: null, content_redacted: true } },
  ],
  [
    "deep inside",
    { a: [[{ b: { image_base64: "AA" } }]] },
    { a: [[{ b: { image_base64: null, content_redacted: true } }]] },
  ],
  ["an empty string too", { image_base64: "" }, { image_base64: null, content_redacted: true }],
  ["no string, no binary", { image_base64: { x: 1 } }, { image_base64: { x: 1 } }],
  ["a null stays a null", { image_base64: null }, { image_base64: null }],
  [
    "content of an attachment",
    { attachments: [{ name: "a", content: "AA" }, { content: null }] },
    { attachments: [{ name: "a", content: null, content_redacted: true }, { content: null }] },
  ],
  [
    "content of an attachment that is no string",
    { attachments: [{ content: { text: "x" } }] },
    { attachments: [{ content: { text: "x" } }] },
  ],
  [
    "an image inside an attachment",
    { attachments: [{ content: { image_base64: "A" } }] },
    { attachments: [{ content: { image_base64: null, content_redacted: true } }] },
  ],
  ["content elsewhere is text", { content: "hello" }, { content: "hello" }],
  [
    "content inside an attachment's member is text",
    { attachments: [{ meta: { content: "hello" } }] },
    { attachments: [{ meta: { content: "hello" } }] },
  ],
  [
    "attachments elsewhere are not attachments",
    { a: { attachments: [{ content: "hello" }] } },
    { a: { attachments: [{ content: "hello" }] } },
  ],
  ["attachments that are no list", { attachments: { content: "x" } },
    { attachments: { content: "x" } }],
  ["a list in attachments", { attachments: [[{ content: "x" }], "y"] },
    { attachments: [[{ content: "x" }], "y"] }],
  ["a list under a binary name", { image_base64: ["x"] }, { image_base64: ["x"] }],
];

describe("removeBinary", () => {
  it.each(rows)("%s", (_why, sent, kept) => {
    const before = structuredClone(sent);
    expect(removeBinary(sent)).toEqual(kept);
    expect(sent).toEqual(before);
  });
  it("copies what it keeps", () => {
    const sent = { a: { b: [1] } };
    const copy = removeBinary(sent) as typeof sent;
    copy.a.b.push(2);
    expect(sent).toEqual({ a: { b: [1] } });
  });
  it("keeps the order of lists", () => {
    const sent = { a: [1, { b: [2, [3]] }, 4, { c: 5 }] };
    expect(removeBinary(sent)).toEqual(sent);
  });
  it("does not use the stack for depth", () => {
    let depth = 0;
    let inner: unknown = removeBinary({ a: nest(100_000) })["a"];
    while (Array.isArray(inner)) {
      inner = inner[0];
      depth += 1;
    }
    expect([depth, inner]).toEqual([100_000, "deep"]);
  });
});
