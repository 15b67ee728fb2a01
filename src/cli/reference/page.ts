// The reference page: the OpenRPC document and the fixtures as one HTML file that asks for nothing
// else. Pure: the same document and fixtures give the same bytes.

import type { OpenrpcDocument } from "../../dispatch/describe.js";
import { placeMethods, type PlacedFamily } from "./families.js";
import type { FixtureShelf } from "./fixtures.js";
import { writeLimits } from "./limits.js";
import { html, Markup, type Piece } from "./markup.js";
import { commonParams, writeMethod, writeParams } from "./methods.js";
import { script } from "./script.js";
import { writeErrors, writeNotifications, writeRecords } from "./sections.js";
import { style } from "./style.js";

interface Chapter {
  id: string;
  title: string;
  words: Piece;
  /** What the chapter holds, for the sidebar; empty when it has no parts. */
  entries: readonly { id: string; name: string }[];
  content: Piece;
}

/** Nothing may be loaded, from anywhere; the style and the script stand in the page. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
  + "img-src data:; base-uri 'none'; form-action 'none'";

export function writeReference(document: OpenrpcDocument, shelf: FixtureShelf): string {
  const chapters = listChapters(document, shelf);
  const page = html`<!doctype html>
<html lang=en>
<head>
<meta charset=utf-8>
<meta name=viewport content="width=device-width, initial-scale=1">
<meta name=color-scheme content="light dark">
<meta http-equiv=Content-Security-Policy content="${policy}">
<title>runhost ${document.info.version}: protocol reference</title>
<link rel=icon href="data:,">
<style>${new Markup(style)}</style>
</head>
<body>
<a class=skip href="#start">To the text</a>
<nav aria-label=Contents>
<div class=top><a class=brand href="#start">runhost <span>protocol 1</span></a>
<input id=menu type=checkbox><label for=menu>Contents</label></div>
<div class=menu>
<input id=search type=search placeholder="Filter (press /)" aria-label="Filter methods"
 autocomplete=off spellcheck=false>
<p id=nothing hidden>Nothing has these words.</p>
${chapters.map(writeEntries)}
</div>
</nav>
<main>
${chapters.map(writeChapter)}
<footer>Made from the OpenRPC document and the fixtures of runhost ${document.info.version} by
<code>runhost protocol --write</code>.</footer>
</main>
<script>${new Markup(script)}</script>
</body>
</html>
`;
  return page.text;
}

function listChapters(document: OpenrpcDocument, shelf: FixtureShelf): Chapter[] {
  const records = Object.keys(document.components.schemas);
  const notifications = document["x-notifications"];
  return [
    { id: "start", title: "Talking to a host", words: null, entries: [], content: start(document) },
    ...placeMethods(document.methods).map((family) => writeFamily(document, shelf, family)),
    {
      id: "notifications",
      title: "Notifications",
      words: "Sent by the host without an id, at least once, and never answered. They are hints: "
        + "whatever they tell can also be read.",
      entries: notifications.map(({ name }) => ({ id: name, name })),
      content: writeNotifications(document),
    },
    {
      id: "errors",
      title: "Errors",
      words: "For programs, error.data.code names the error and error.data.retryable says whether "
        + "the same call may succeed later. The methods stand where a fixture shows the reason.",
      entries: [],
      content: writeErrors(document, shelf),
    },
    {
      id: "records",
      title: "Records",
      words: "Answers may have fields that are not listed here: overlook them.",
      entries: records.map((name) => ({ id: `record-${name}`, name })),
      content: writeRecords(document),
    },
    { id: "limits", title: "Limits", words: null, entries: [], content: writeLimits() },
  ];
}

function writeFamily(
  document: OpenrpcDocument,
  shelf: FixtureShelf,
  { methods, ...family }: PlacedFamily<OpenrpcDocument["methods"][number]>,
): Chapter {
  return {
    ...family,
    entries: methods.map(({ name }) => ({ id: name, name })),
    content: methods.map((method) => writeMethod(document, shelf, method)),
  };
}

function writeEntries({ id, title, entries }: Chapter): Markup {
  const items = entries.map((entry) => html`<li><a href="#${entry.id}">${entry.name}</a></li>`);
  return html`<div class=group><a class=title href="#${id}">${title}</a>
${items.length > 0 && html`<ul>${items}</ul>`}</div>`;
}

function writeChapter({ id, title, words, content }: Chapter): Markup {
  const heading = id === "start" ? html`<h1>${title}</h1>` : html`<h2>${title}</h2>`;
  return html`
<div class=chapter id="${id}">
${heading}
${words !== null && html`<p class=lead>${words}</p>`}
${content}
</div>`;
}

function start({ info, methods }: OpenrpcDocument): Markup {
  const common = methods[0]?.params.filter(({ name }) => commonParams.includes(name)) ?? [];
  return html`
<p class=lead>${info.description} This page says what each of its ${methods.length} methods takes,
answers and refuses; <a href="README.md">README.md</a> says how claims, steering and subscriptions
work together.</p>
<ul class=steps>
<li><b>Connect</b> with a WebSocket to <code>ws://HOST:PORT/rpc</code>. One text frame holds one
request, one notification or one batch.</li>
<li><b>Prove who you are</b> with <code>Authorization: Bearer TOKEN</code> on the upgrade request,
or with <a href="#plugin_connect">plugin_connect</a> as the first call.</li>
<li><b>Call</b> with params by name. A parameter that the method does not list is refused; types are
not coerced; null is the same as absent.</li>
<li><b>Read times</b> that end in <code>_at</code> as seconds since 1970 UTC, in
<code>_at_ms</code> as milliseconds. Durations end in <code>_seconds</code> or
<code>_ms</code>.</li>
<li><b>Repeat</b> a call whose answer was lost with the same ids: every write says what a repeat
does. Retry a refusal only where <code>retryable</code> is true.</li>
</ul>
<h2 class=small>Params of every method</h2>
${writeParams(common)}
<p class=by>Examples come from the fixtures: an answer shows what its fixture asserts, and has the
other fields of its record beside that.</p>`;
}
