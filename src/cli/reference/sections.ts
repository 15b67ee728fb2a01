// What stands beside the methods on the page: notifications, records, errors and limits.

import type { OpenrpcDocument } from "../../dispatch/describe.js";
import type { JsonSchema } from "../../dispatch/json_schema.js";
import { collectReasons, type FixtureShelf } from "./fixtures.js";
import { html, join, type Markup, type Piece } from "./markup.js";
import { writeParams } from "./methods.js";
import { branchesOf, propertiesOf, writeType } from "./schema_words.js";

export function writeNotifications(document: OpenrpcDocument): Markup[] {
  return document["x-notifications"].map((notification) => {
    const { name, summary, params } = notification;
    return html`
<section class=method id="${name}" data-find="${`${name} ${summary} notification`.toLowerCase()}">
<h3><a href="#${name}">${name}</a></h3>
<p class=summary>${summary}</p>
<dl><dt>Sent to</dt><dd>${notification["x-sent-to"]}</dd>
<dt>Params</dt><dd>${writeParams(params.map((param) => ({ ...param, required: false })))}</dd></dl>
</section>`;
  });
}

export function writeRecords({ components }: OpenrpcDocument): Markup[] {
  return Object.entries(components.schemas).map(([name, schema]) => {
    const words = [name, ...propertiesOf(schema).map(([field]) => field)].join(" ").toLowerCase();
    return html`
<section class=method id="record-${name}" data-find="${words}">
<h3><a href="#record-${name}">${name}</a></h3>${writeRecord(schema)}</section>`;
  });
}

function writeRecord(schema: JsonSchema): Piece {
  const fields = propertiesOf(schema);
  if (fields.length > 0) return writeFields(schema, fields);
  const branches = branchesOf(schema).filter((branch) => propertiesOf(branch).length > 0);
  if (branches.length === 0) {
    const { pattern } = schema;
    const matched = pattern !== undefined && html`, <code>${String(pattern)}</code>`;
    return html`<p>${writeType(schema)}${matched}</p>`;
  }
  return branches.map((branch) =>
    html`<div class=branch>${writeFields(branch, propertiesOf(branch))}</div>`);
}

function writeFields(schema: JsonSchema, fields: readonly [string, JsonSchema][]): Markup {
  const required = new Set((schema["required"] ?? []) as string[]);
  const absent = html` <span class=bounds>not always</span>`;
  const rows = fields.map(([name, field]) => html`
<tr><td><code>${name}</code>${!required.has(name) && absent}</td>
<td class=type>${writeType(field, { nulls: true })}</td>
<td>${(field["description"] ?? "") as string}</td></tr>`);
  return html`<div class=wide><table>
<thead><tr><th>Field</th><th>Type</th><th>Meaning</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

export function writeErrors(document: OpenrpcDocument, shelf: FixtureShelf): Markup {
  const { components, methods } = document;
  const reasons = collectReasons(shelf, new Set(methods.map(({ name }) => name)));
  const rows = Object.entries(components.errors).map(([name, error]) => {
    const { code, message, data } = error as ErrorWords;
    return html`
<tr id="error-${name}"><td class=number>${code}</td><td><code>${name}</code></td>
<td class=retry>${data.retryable ? "yes" : "no"}</td>
<td>${message}${writeReasons(reasons.get(name))}</td></tr>`;
  });
  return html`<div class=wide><table>
<thead><tr><th>Number</th><th><code>data.code</code></th><th>Retry</th>
<th>When, and <code>data.reason</code></th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

interface ErrorWords {
  code: number;
  message: string;
  data: { retryable: boolean };
}

function writeReasons(reasons: ReadonlyMap<string, ReadonlySet<string>> = new Map()): Piece {
  if (reasons.size === 0) return null;
  const items = [...reasons].sort(([a], [b]) => (a < b ? -1 : 1)).map(([reason, methods]) => {
    const links = [...methods].sort().map((name) => html`<a href="#${name}">${name}</a>`);
    const more = `${links.length - 5} more`;
    const shown = links.length > 6 ? [...links.slice(0, 5), more] : links;
    return html`<li><code>${reason}</code> <span class=by>${join(shown, ", ")}</span></li>`;
  });
  return html`<ul class=list>${items}</ul>`;
}
