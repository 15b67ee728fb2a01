// The reference page as it is committed: it has everything, loads nothing, is HTML that closes what it
// opens, and lets no text through as markup. That it is the generated one is judged at the end.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findExample } from "../../src/cli/reference/examples.js";
import { placeMethods } from "../../src/cli/reference/families.js";
import { readFixtureShelf } from "../../src/cli/reference/fixtures.js";
import { escapeText, html, join, writeJson } from "../../src/cli/reference/markup.js";
import { writeReference } from "../../src/cli/reference/page.js";
import { writeType } from "../../src/cli/reference/schema_words.js";
import { readConfig } from "../../src/config.js";

type Json = any;

const protocol = new URL("../../protocol/", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, protocol), "utf8");
const page = read("reference.html");
const document = JSON.parse(read("openrpc.json"));
const has = (text: string) => page.includes(text);
const shelf = readFixtureShelf(fileURLToPath(protocol));

interface Tag {
  name: string;
  attributes: Record<string, string>;
}

/** Every tag of a page; throws where one is not closed, or closed without being open. */
function parse(text: string): Tag[] {
  const voids = ["meta", "link", "input", "br"];
  const open: string[] = [];
  const tags: Tag[] = [];
  const bare = text.replace(/<(style|script)>[^]*?<\/\1>/g, "<$1></$1>");
  for (const [whole, close, name = "", rest = ""] of bare.matchAll(/<(\/?)([a-z]\w*)([^>]*)>/g)) {
    if (close) {
      const last = open.pop();
      if (last !== name) throw new Error(`</${name}> closes <${last}>: ${whole}`);
      continue;
    }
    const found = rest.matchAll(/\s([\w-]+)(?:=("[^"]*"|[^\s"]+))?/g);
    const attributes = [...found].map(([, key = "", value = ""]) => [key, value.replace(/"/g, "")]);
    tags.push({ name, attributes: Object.fromEntries(attributes) });
    if (!voids.includes(name)) open.push(name);
  }
  if (open.length > 0) throw new Error(`left open: ${open.join(", ")}`);
  const loose = bare.replace(/<!doctype html>|<\/?[a-z]\w*[^>]*>/g, "").match(/[<>]|&(?!\w+;|#\d+;)/);
  if (loose) throw new Error(`a loose ${loose[0]} at ${loose.index}`);
  return tags;
}

const toText = (markup: string): string =>
  markup.replace(/<[^>]+>/g, "").replace(/&#39;/g, "'").replace(/&quot;/g, '"')
    .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

const sectionOf = (id: string): string => {
  const found = new RegExp(`<section class=method id="${id.replace(".", "\\.")}"[^]*?</section>`);
  return found.exec(page)?.[0] ?? "";
};

describe("the page has", () => {
  test.each(document.methods as Json[])("the method $name", (method) => {
    const section = sectionOf(method.name);
    const words = toText(section);
    expect(words).toContain(method.summary);
    for (const path of method["x-access"].split("; or ")) expect(words).toContain(path);
    for (const { name, description } of method.params) {
      if (["caller_plugin_identity", "_meta"].includes(name)) continue;
      expect(section).toContain(`<code>${name}</code>`);
      expect(words).toContain(description);
    }
    for (const { $ref } of method.errors) {
      expect(section).toContain(`href="#error-${$ref.split("/").at(-1)}"`);
    }
    expect(has(`<li><a href="#${method.name}">${method.name}</a></li>`)).toBe(true);
    expect(section).toContain("<figure>");
    const { fixtures } = shelf;
    const own = fixtures.filter(({ name }) => name.startsWith(`${method.name.replace(".", "_")}/`));
    for (const { name } of own) expect(section).toContain(`href="fixtures/${name}.json"`);
  });

  test.each([
    [-32700, "PARSE_ERROR"], [-32600, "INVALID_REQUEST"], [-32601, "METHOD_NOT_FOUND"],
    [-32602, "INVALID_PARAMS"], [-32603, "INTERNAL"], [-32001, "UNAUTHENTICATED"],
    [-32002, "FORBIDDEN"], [-32003, "NOT_FOUND"], [-32004, "CONFLICT"], [-32005, "LEASE_LOST"],
    [-32006, "RUN_TERMINAL"], [-32007, "SESSION_EXPIRED"], [-32008, "NO_RUN_AVAILABLE"],
    [-32009, "PAYLOAD_TOO_LARGE"], [-32010, "RATE_LIMITED"], [-32011, "OVERLOADED"],
    [-32012, "UNAVAILABLE"], [-32013, "RESULT_REJECTED"], [-32014, "DEADLINE_EXCEEDED"],
  ])("the error %i %s", (number, name) => {
    expect(has(`<tr id="error-${name}"><td class=number>${number}</td>`)).toBe(true);
  });

  test.each([
    "run_event", "interaction_requested", "run_ended", "run_cancel_requested", "steering_available",
    "subscription_dropped",
  ])("the notification %s", (name) => {
    expect(sectionOf(name)).toContain("<dt>Sent to</dt>");
  });

  test.each(Object.keys(document.components.schemas))("the record %s with its fields", (name) => {
    const section = sectionOf(`record-${name}`);
    for (const field of Object.keys(document.components.schemas[name].properties ?? {})) {
      expect(section).toContain(`<code>${field}</code>`);
    }
    expect(section.length).toBeGreaterThan(100);
  });

  test.each(["1\u202f114\u202f112 bytes", "256 KiB", "8 MiB", "60 s, from 1 to 3\u202f600 s", "4401"])(
    "the limit %s", (limit) => expect(has(limit)).toBe(true),
  );
});

test("the operator's limits are the defaults of the configuration", () => {
  const { max_message_bytes, max_batch, max_in_flight, ...config } = readConfig({});
  const rows = toText(page.slice(page.indexOf("Set by the operator")).replace(/<\/t[dr]>/g, " "));
  expect(rows).toContain(`${max_message_bytes}`.replace(/\B(?=(\d{3})+$)/g, "\u202f"));
  expect(rows).toContain(`(RUNHOST_MAX_BATCH) ${max_batch} `);
  expect(rows).toContain(`(RUNHOST_MAX_IN_FLIGHT) ${max_in_flight};`);
  expect(rows).toContain(`(RUNHOST_SNAPSHOT_READ_DAYS) ${config.snapshot_read_days} days`);
  expect(rows).toContain(`(RUNHOST_RETENTION_DAYS) ${config.retention_days} days`);
  expect(rows).toContain(`(RUNHOST_RECONCILE_SECONDS) ${config.reconcile_seconds} s`);
});

describe("the page as a file", () => {
  const tags = parse(page);
  const values = (name: string) => tags.flatMap(({ attributes }) => attributes[name] ?? []);

  test("is smaller than 1.5 MB", () => {
    expect(Buffer.byteLength(page)).toBeLessThan(1_500_000);
  });

  test("loads nothing, and may not", () => {
    const policy = tags.find(({ attributes }) => attributes["http-equiv"]);
    expect(toText(policy?.attributes["content"] ?? "")).toMatch(
      /^default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:;/,
    );
    for (const name of ["src", "srcset", "action", "data", "poster"]) expect(values(name)).toEqual([]);
    expect(values("href").filter((href) => /^(?:[a-z]+:)?\/\/|^https?:/.test(href))).toEqual([]);
    const made = [...page.matchAll(/<(?:style|script)>[^]*?<\/(?:style|script)>/g)].join("");
    expect(made).not.toMatch(/https?:|\/\/\w|url\(|@import|fetch\(|XMLHttpRequest|import\(/);
    expect(tags.filter(({ name }) => /^(?:iframe|object|embed|img|video|audio|base)$/.test(name)))
      .toEqual([]);
    expect(tags.filter(({ name }) => name === "link").map(({ attributes }) => attributes["href"]))
      .toEqual(["data:,"]);
  });

  test("has each id once, and every link leads somewhere", () => {
    const ids = values("id");
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    const links = values("href").filter((href) => href !== "data:,");
    expect(links.length).toBeGreaterThan(1000);
    const lost = [...new Set(links)].filter((href) =>
      href.startsWith("#") ? !ids.includes(href.slice(1)) : !existsSync(new URL(href, protocol)));
    expect(lost).toEqual([]);
  });

  test("its examples are frames of JSON-RPC 2.0 without anything of the fixtures' own language", () => {
    const examples = [...page.matchAll(/<pre>([^]*?)<\/pre>/g)].map(([, pre = ""]) => toText(pre));
    expect(examples.length).toBeGreaterThan(80);
    for (const example of examples) {
      const [request = "", answer = ""] = example.replace(/^→ /, "").split("\n← ");
      expect(JSON.parse(request)).toMatchObject({ jsonrpc: "2.0", id: 1, params: expect.any(Object) });
      expect(Object.keys(JSON.parse(answer)).slice(0, 2)).toEqual(["jsonrpc", "id"]);
      expect(example).not.toMatch(/\$\{|"\$\w+"|runhost-test|undefined/);
    }
  });

  test("a parser that takes anything would have been of no use", () => {
    expect(() => parse("<p><b>x</p></b>")).toThrow("</p> closes <b>");
    expect(() => parse("<p>")).toThrow("left open: p");
    expect(() => parse("<p>a < b</p>")).toThrow("a loose <");
    expect(() => parse("<p>a & b</p>")).toThrow("a loose &");
  });
});

describe("text is text", () => {
  const nasty = `<script>alert("1")</script>&'`;

  test("in templates, attributes, lists and JSON", () => {
    const safe = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;";
    expect(escapeText(nasty)).toBe(safe);
    expect(html`<a href="${nasty}">${[nasty, html`<b>${nasty}</b>`]}${null}${false}${0}</a>`.text)
      .toBe(`<a href="${safe}">${safe}<b>${safe}</b>0</a>`);
    expect(join([nasty, "b"], html`<br>`).text).toBe(`${safe}<br>b`);
    const written = writeJson({ [nasty]: [nasty, 1.5e-7, null, true] }).text;
    expect(written).not.toContain("<script");
    expect(JSON.parse(toText(written))).toEqual({ [nasty]: [nasty, 1.5e-7, null, true] });
  });

  test("wherever the document or a fixture puts it", () => {
    const planted = structuredClone(document);
    const method = planted.methods.find(({ name }: Json) => name === "run_get");
    Object.assign(method, { summary: nasty, "x-access": nasty });
    Object.assign(method.params[0], { description: nasty, schema: { enum: [nasty], default: nasty } });
    planted.components.schemas.Run.properties.run_id = { const: nasty, description: nasty };
    planted.components.errors.CONFLICT.message = nasty;
    planted["x-notifications"][0].summary = nasty;
    planted["x-notifications"][0]["x-sent-to"] = nasty;
    const fixtures = shelf.fixtures.map((fixture) => ({ ...fixture, title: nasty, why: nasty }));
    const written = writeReference(planted, { ...shelf, fixtures });
    expect(written).toContain("&lt;script&gt;");
    expect(written.match(/<script/g)).toHaveLength(1);
    expect(() => parse(written)).not.toThrow();
  });
});

test("a method that nobody placed is on the page by its prefix, or among the others", () => {
  const placed = placeMethods([
    { name: "run_ponder" }, { name: "run_get" }, { name: "weather_get" }, { name: "ping" },
  ]);
  expect(placed.map(({ title, methods }) => [title, methods.map(({ name }) => name)])).toEqual([
    ["Connection and plugins", ["ping"]],
    ["Reading and steering runs from outside", ["run_get", "run_ponder"]],
    ["Others", ["weather_get"]],
  ]);
  const names = placeMethods(document.methods as { name: string }[])
    .flatMap(({ methods }) => methods.map(({ name }) => name));
  expect(names.sort()).toEqual(document.methods.map(({ name }: Json) => name).sort());
});

test.each<[Json, string]>([
  [{ $ref: "#/components/schemas/Run" }, "Run"],
  [{ anyOf: [{ $ref: "#/components/schemas/Id" }, { type: "null" }] }, "Id or null"],
  [{ type: ["object", "null"] }, "object or null"],
  [{ type: "string", minLength: 1, maxLength: 100 }, "string 1..100 characters"],
  [{ type: "integer", minimum: 1 }, "integer 1.."],
  [{ type: "integer", description: "moved to the nearest of 1 and 100" }, "integer clamped to 1..100"],
  [{ type: "array", items: { type: "string" }, maxItems: 20 }, "list ≤ 20 of string"],
  [{ type: "object", additionalProperties: { type: "boolean" } }, "map to boolean"],
  [{ type: "string", enum: ["a", "b"] }, '"a" | "b"'],
  [{ const: true }, "true"],
  [{}, "any JSON"],
])("the schema %j in words", (schema, words) => {
  expect(toText(writeType(schema, { nulls: true }).text)).toBe(words);
});

test("an example tells who calls, with the names of the worlds", () => {
  const example = findExample(shelf, "run_renew_claim", "result");
  expect(example).toMatchObject({
    caller: "acme/owner", params: { target_run_id: "run-7f3a", runtime_id: "runtime-7f3a" },
  });
  expect(findExample(shelf, "run_fly", "result")).toBeUndefined();
});

test("it is the page that the document and the fixtures give", () => {
  expect(writeReference(document, shelf) === page).toBe(true);
});
