import { expect, test } from "vitest";
import { explained } from "./explained";
import { asked, bodyOf, FIRST } from "./fields";
import { curlOf, literal, pythonOf } from "./snippets";
import { Events, hear, type Heard, jsonOf, SILENCE } from "./stream";

const FIELDS = { ...FIRST, model: "chat", message: "It's me", system: "Be brief" };
const all = (dialect: "openai" | "anthropic", events: unknown[]): Heard =>
  events.reduce<Heard>((now, one) => hear(dialect, now, one), SILENCE);

test("the same fields make a body of either dialect", () => {
  expect(bodyOf(FIELDS)).toMatchObject({ messages: [{ role: "system" }, { role: "user" }], stream: true });
  const anthropic = bodyOf({ ...FIELDS, dialect: "anthropic", maxTokens: "", stream: false });
  expect(anthropic).toEqual({
    model: "chat",
    system: "Be brief",
    messages: [{ role: "user", content: "It's me" }],
    max_tokens: 256,
  });
});

test("a raw body is sent as it stands; what is no JSON object is not sent", () => {
  expect(asked({ ...FIELDS, raw: '{"model": "x", "n": 2}' })).toEqual({ model: "x", n: 2 });
  expect(typeof asked({ ...FIELDS, raw: "{" })).toBe("string");
  expect(typeof asked({ ...FIELDS, raw: "[1]" })).toBe("string");
});

test("snippets have the gate's address, quote what has to be quoted, and never a key", () => {
  const curl = curlOf("http://gate:8080", "openai", bodyOf(FIELDS));
  expect(curl).toContain("'http://gate:8080/v1/chat/completions'");
  expect(curl).toContain(String.raw`It'\''s me`);
  expect(curl).toContain("Bearer $TIDEGATE_KEY");
  const python = pythonOf("http://gate:8080", "anthropic", bodyOf({ ...FIELDS, dialect: "anthropic" }));
  expect(python).toContain('Anthropic(base_url="http://gate:8080", api_key=os.environ["TIDEGATE_KEY"])');
  expect(python).toContain("stream=True");
  expect(literal({ a: [null, false, "x"] })).toBe('{"a": [None, False, "x"]}');
});

test("events are whole wherever the pieces of a stream end", () => {
  const events = new Events();
  const found = ['data: {"a"', ":1}\r\n", "\r\ndata: [DO", "NE]\n\n", "event: x\ndata: 2\n\n"].flatMap((one) =>
    events.push(one),
  );
  expect(found).toEqual(['{"a":1}', "2"]);
  expect(jsonOf("no")).toBeUndefined();
});

test("an OpenAI stream becomes text, usage and its end", () => {
  const heard = all("openai", [
    { choices: [{ index: 0, delta: { content: "Hel" } }] },
    {
      choices: [
        { index: 0, delta: { content: "lo" } },
        { index: 1, delta: { content: "other" } },
      ],
    },
    { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
    { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } },
  ]);
  expect(heard).toMatchObject({ text: "Hello", prompt: 3, completion: 2, finish: "stop", error: undefined });
});

test("an Anthropic stream becomes text, thoughts, tools and usage", () => {
  const heard = all("anthropic", [
    { type: "message_start", message: { usage: { input_tokens: 5, output_tokens: 1 } } },
    { type: "content_block_delta", delta: { type: "thinking_delta", thinking: "hm" } },
    { type: "content_block_start", content_block: { type: "text", text: "" } },
    { type: "content_block_delta", delta: { type: "text_delta", text: "Hi" } },
    { type: "content_block_start", content_block: { type: "tool_use", name: "look", input: {} } },
    { type: "content_block_delta", delta: { type: "input_json_delta", partial_json: '{"x":1}' } },
    { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 9 } },
  ]);
  expect(heard).toMatchObject({ text: "Hi", thought: "hm", prompt: 5, completion: 9, finish: "tool_use" });
  expect(heard.tools).toBe('look {"x":1}');
});

test("an error in a stream is told beside what came before it", () => {
  const heard = all("openai", [
    { choices: [{ index: 0, delta: { content: "half" } }] },
    { error: { message: "broke", type: "upstream_error", code: "upstream_failed" } },
  ]);
  expect(heard.text).toBe("half");
  expect(heard.error).toEqual({ message: "broke", type: "upstream_error", code: "upstream_failed" });
  expect(explained("upstream_failed", 502)).toBe("code_upstream_failed");
  expect(explained("never_seen", 429)).toBe("code_rate_limit_exceeded");
});
