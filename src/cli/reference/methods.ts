// One method on the page: who may call it, what it takes and answers, how it refuses, an exchange
// of its fixtures, and what else they ask of a host.

import type { OpenrpcDocument, OpenrpcMethod } from "../../dispatch/describe.js";
import { findExample, type Example } from "./examples.js";
import { fixturesOf, type FixtureShelf } from "./fixtures.js";
import { html, join, writeJson, type Markup, type Piece } from "./markup.js";
import { propertiesOf, splitNull, writeType } from "./schema_words.js";

type Param = OpenrpcMethod["params"][number];

/** Every method takes them; the page says so once. */
export const commonParams = ["caller_plugin_identity", "_meta"];

export function writeMethod(
  document: OpenrpcDocument,
  shelf: FixtureShelf,
  method: OpenrpcMethod,
): Markup {
  const own = method.params.filter(({ name }) => !commonParams.includes(name));
  const find = [method.name, method.summary, ...own.map(({ name }) => name)].join(" ");
  return html`
<section class=method id="${method.name}" data-find="${find.toLowerCase()}">
<h3><a href="#${method.name}">${method.name}</a></h3>
<p class=summary>${method.summary}</p>
<dl>
<dt>Access</dt><dd>${writeAccess(method["x-access"])}</dd>
<dt>Params</dt><dd>${own.length === 0 ? "none" : writeParams(own)}</dd>
<dt>Result</dt><dd>${writeResult(document, method)}</dd>
<dt>Errors</dt><dd>${writeErrors(method)}</dd>
</dl>
${writeExamples(shelf, method.name)}
${writeFixtures(shelf, method.name)}
</section>`;
}

function writeAccess(words: string): Piece {
  const paths = words.split("; or ");
  return paths.length === 1 ? words : html`<ul>${paths.map((path) => html`<li>${path}</li>`)}</ul>`;
}

export function writeParams(params: readonly Param[]): Markup {
  const rows = params.map(({ name, description, required, schema }) => html`
<tr><td><code>${name}</code>${required && html` <b class=must>required</b>`}</td>
<td class=type>${writeType(schema)}${writeDefault(schema)}</td><td>${description}</td></tr>`);
  return html`<div class=wide><table>
<thead><tr><th>Name</th><th>Type</th><th>Meaning</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function writeDefault(schema: Param["schema"]): Piece {
  const value = schema["default"];
  return value !== undefined && html` <span class=bounds>default ${JSON.stringify(value)}</span>`;
}

function writeResult({ components }: OpenrpcDocument, { name, result }: OpenrpcMethod): Piece {
  if (name === "rpc.discover") return "the OpenRPC document from which this page is made";
  const { schema } = splitNull(result.schema);
  const record = String(schema["$ref"] ?? "").split("/").at(-1) ?? "";
  const fields = propertiesOf(components.schemas[record] ?? {}).map(([field]) => field);
  const listed = fields.length > 0
    && html`<p class=fields>${join(fields.map((field) => html`<code>${field}</code>`), " ")}</p>`;
  return [writeType(schema), listed];
}

function writeErrors({ errors }: OpenrpcMethod): Markup {
  const codes = errors.map(({ $ref }) => $ref.split("/").at(-1) ?? "");
  return join(codes.map((code) => html`<a class=code href="#error-${code}">${code}</a>`), " ");
}

function writeExamples(shelf: FixtureShelf, method: string): Piece {
  const good = findExample(shelf, method, "result");
  const refused = findExample(shelf, method, "error");
  if (good === undefined) return null;
  return [
    writeExample(method, good),
    refused && html`<details class=more><summary>A refusal</summary>
${writeExample(method, refused)}</details>`,
  ];
}

function writeExample(
  method: string,
  { fixture, caller, permissions, params, answer }: Example,
): Markup {
  const held = permissions.length > 0 && html`, which holds ${permissions.join(", ")}`;
  const who = html`Called by <code>${caller}</code>${held}`;
  const called = caller === undefined ? "Before login" : who;
  const [member = "result"] = Object.keys(answer);
  return html`<figure><figcaption>${fixture.title} <span class=by>${called}.
<a href="fixtures/${fixture.name}.json">Fixture</a></span></figcaption>
<pre><b>→</b> ${writeFrame(`"method":"${method}","params"`, params)}
<b>←</b> ${writeFrame(`"${member}"`, Object.values(answer)[0])}</pre></figure>`;
}

/** One frame, with what every frame has on its first line. */
function writeFrame(last: string, value: unknown): Markup {
  return html`<span class=by>{"jsonrpc":"2.0","id":1,${last}:</span>${writeJson(value)}<span
 class=by>}</span>`;
}

function writeFixtures(shelf: FixtureShelf, method: string): Piece {
  const fixtures = fixturesOf(shelf, method);
  if (fixtures.length === 0) return null;
  const items = fixtures.map(({ name, title, why }) =>
    html`<li><a href="fixtures/${name}.json">${title}</a> <span class=by>${why}</span></li>`);
  const s = fixtures.length === 1 ? "" : "s";
  const counted = `${fixtures.length} fixture${s}`;
  return html`<details class=more><summary>What a host has to do: ${counted}</summary>
<ul class=list>${items}</ul></details>`;
}
