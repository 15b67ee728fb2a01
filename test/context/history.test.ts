// What a live run reads of its conversation: transcript, search, event log, prompt; and of no other.

import { beforeAll, describe, expect, test } from "vitest";
import type { Params } from "../support/client.js";
import { fresh, type Plugin, registerPlugin, useHost } from "../support/host.js";

const world = useHost({ RUNHOST_RECONCILE_SECONDS: "0" });

interface Page {
  items: { seq: number; content: string | null; content_truncated: boolean }[];
  next_cursor: string | null;
  prev_cursor: string | null;
  has_more: boolean;
}

let plugin: Plugin;
beforeAll(async () => {
  plugin = await registerPlugin(world());
});

async function talk(texts: string[], scope: Params = {}) {
  const conversation_id = fresh("talk");
  for (const text of texts) {
    await plugin.client.call("event_publish", { conversation_id, text, ...scope });
  }
  const run = await plugin.client.call("run_create", {
    runner_id: plugin.runner_id, dispatch: "running", conversation_id, ...scope,
  });
  return { run_id: run.run_id as string, conversation_id };
}

const texts = (page: { items: { content: string | null }[] }) =>
  page.items.map(({ content }) => content);

describe("history_page", () => {
  test("goes both ways to the end", async () => {
    const { run_id } = await talk(["a", "b", "c", "d", "e"]);
    const walk = async (direction: string, cursor: string) => {
      const found: (string | null)[] = [];
      for (let at: string | null = null; ;) {
        const page: Page = await plugin.client.call("history_page", {
          run_id, direction, limit: 2, [cursor]: at,
        });
        expect(page.prev_cursor).toBe(String(page.items[0]?.seq));
        found.push(...texts(page));
        if (!page.has_more) return found;
        at = page.next_cursor;
      }
    };
    expect(await walk("forward", "after_cursor")).toEqual(["a", "b", "c", "d", "e"]);
    expect(await walk("backward", "before_cursor")).toEqual(["e", "d", "c", "b", "a"]);
  });

  test("holds what runners said, cut and without binary", async () => {
    const { run_id } = await talk(["hello"]);
    const long = "x".repeat(5000);
    const message = {
      role: "assistant",
      content: [{ type: "text", text: long }, { type: "image", image_base64: "QUJD" }],
    };
    const emit = (sequence: number, type: string, data: Params) =>
      plugin.client.call("run_emit_result", { run_id, sequence, type, data });
    await emit(1, "message.completed", { message });
    const page: Page & { items: Params[] } =
      await plugin.client.call("history_page", { run_id, limit: 1 });
    expect(page.items[0]).toMatchObject({
      role: "assistant", content: "x".repeat(4000), content_truncated: true, event_id: null,
      content_json: { content: [
        { type: "text", text: long },
        { type: "image", image_base64: null, content_redacted: true },
      ] },
    });
    // The final message that repeats the last one is not written again; another one is.
    await emit(2, "run.completed", { message });
    const rows = await world().clone.sql`select count(*)::int as n from transcript
      where run_id = ${run_id} and origin = 'result'`;
    expect(rows[0]?.["n"]).toBe(1);
  });

  test("shows attachments only when asked", async () => {
    const attachments = [{ name: "a.txt", content: "c2VjcmV0" }];
    const conversation_id = fresh("talk");
    await plugin.client.call("event_publish", {
      conversation_id, input: { text: "see", attachments },
    });
    const run = await plugin.client.call("run_create", {
      runner_id: plugin.runner_id, dispatch: "running", conversation_id,
    });
    const at = { run_id: run.run_id };
    const kept = [{ name: "a.txt", content: null, content_redacted: true }];
    expect((await plugin.client.call("history_page", at)).items[0].attachment_refs).toEqual([]);
    expect((await plugin.client.call("history_page", { ...at, include_attachments: true }))
      .items[0].attachment_refs).toEqual(kept);
  });

  test("of another conversation is out of scope; without one it is empty", async () => {
    const { run_id } = await talk(["mine"]);
    const other = await talk(["theirs"]);
    expect(await plugin.client.refusal("history_page", {
      run_id, conversation_id: other.conversation_id,
    })).toMatchObject({ code: "FORBIDDEN", reason: "out_of_scope" });
    const run = await world().admin.call("run_create", {
      runner_id: plugin.runner_id, dispatch: "running",
      authorization: { available_apis: { history_page: true, event_page: true } },
    });
    expect(await plugin.client.call("history_page", { run_id: run.run_id }))
      .toEqual({ items: [], next_cursor: null, prev_cursor: null, has_more: false });
    expect(await plugin.client.call("event_page", { run_id: run.run_id }))
      .toEqual({ items: [], next_cursor: null, prev_cursor: null, has_more: false });
  });

  test("keeps to thread and bot", async () => {
    const conversation_id = fresh("talk");
    for (const [text, scope] of [["plain", {}], ["threaded", { thread_id: "t" }]] as const) {
      await plugin.client.call("event_publish", { conversation_id, text, ...scope });
    }
    const run = await plugin.client.call("run_create", {
      runner_id: plugin.runner_id, dispatch: "running", conversation_id, thread_id: "t",
    });
    expect(texts(await plugin.client.call("history_page", { run_id: run.run_id })))
      .toEqual(["threaded"]);
  });
});

describe("history_search", () => {
  test.each<[string, string[]]>([
    ["brown fox", ["The quick brown fox"]],
    ["\"quick brown\"", ["The quick brown fox"]],
    ["fox -quick", ["a red fox"]],
    ["QUICK", ["The quick brown fox"]],
    // As words: "100"; the sign is taken literally as a substring only.
    ["100%", ["costs 100 more", "costs 100% more"]],
    ["a_b", ["name a_b here"]],
    ["back\\slash", ["back\\slash"]],
    ["uick br", ["The quick brown fox"]],
    ["%", ["costs 100% more"]],
    ["nothing like it", []],
  ])("%s", async (query, found) => {
    const { run_id } = await talk([
      "The quick brown fox", "a red fox", "costs 100% more", "costs 100 more", "name a_b here",
      "name axb here", "back\\slash",
    ]);
    const answer = await plugin.client.call("history_search", { run_id, query: ` ${query} ` });
    expect([texts(answer), answer.total_count, answer.query]).toEqual([found, found.length, query]);
  });

  test("whole texts are searched, also those too long for words", async () => {
    const { run_id } = await talk([`${"filler ".repeat(700)}needle`, `${"y".repeat(140_000)}pin end`]);
    const search = async (query: string) =>
      (await plugin.client.call("history_search", { run_id, query })).total_count;
    expect([await search("needle"), await search("pin end"), await search("nowhere")])
      .toEqual([1, 1, 0]);
  });

  test("filters, top_k and has_more", async () => {
    const { run_id } = await talk(["fox one", "fox two", "fox three"]);
    const two = await plugin.client.call("history_search", { run_id, query: "fox", top_k: 2 });
    expect([texts(two), two.has_more]).toEqual([["fox three", "fox two"], true]);
    const none = await plugin.client.call("history_search", {
      run_id, query: "fox", filters: { roles: ["assistant"] },
    });
    expect([none.items, none.has_more]).toEqual([[], false]);
  });
});

describe("event log and prompt", () => {
  test("events are read one by one and in pages, without input or run", async () => {
    const { run_id, conversation_id } = await talk(["one", "two"]);
    const page = await plugin.client.call("event_page", { run_id, limit: 2 });
    expect(page.items.length).toBe(2);
    expect(page.prev_cursor).toBe(null);
    const rest = await plugin.client.call("event_page", { run_id, before_cursor: page.next_cursor });
    expect(rest.items.map((item: Params) => item["input_summary"])).toEqual(["one"]);
    const [first] = rest.items;
    expect(first).not.toHaveProperty("input");
    expect(first).not.toHaveProperty("run_id");
    expect(await plugin.client.call("event_get", { run_id, event_id: first.event_id }))
      .toEqual(first);
    const other = await talk(["three"]);
    const foreign = await plugin.client.call("event_page", { run_id: other.run_id, event_types: ["message.received"] });
    for (const event_id of [foreign.items[0].event_id, "nowhere"]) {
      expect(await plugin.client.refusal("event_get", { run_id, event_id }))
        .toMatchObject({ code: "FORBIDDEN", reason: "out_of_scope" });
    }
    expect(first.conversation_id).toBe(conversation_id);
  });

  test("a prompt is handed to the run that was created with one", async () => {
    const prompt = [{ role: "system", content: "be brief" }];
    const run = await plugin.client.call("run_create", {
      runner_id: plugin.runner_id, dispatch: "running", prompt,
    });
    expect(await plugin.client.call("prompt_get", { run_id: run.run_id })).toEqual({ prompt });
    const granted = await world().admin.call("run_create", {
      runner_id: plugin.runner_id, dispatch: "running",
      authorization: { available_apis: { prompt_get: true } },
    });
    expect(await plugin.client.refusal("prompt_get", { run_id: granted.run_id }))
      .toMatchObject({ code: "NOT_FOUND", kind: "prompt", id: granted.run_id });
  });
});
