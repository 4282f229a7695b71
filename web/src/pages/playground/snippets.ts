/** The same call from a terminal and from a program. A key never stands in it: it is read from the environment. Pure. */
import type { Body, Dialect } from "./fields";

const KEY = "TIDEGATE_KEY";
const PATHS = { openai: "/v1/chat/completions", anthropic: "/v1/messages" } as const;

const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

export function curlOf(base: string, dialect: Dialect, body: Body): string {
  const auth = dialect === "openai" ? `"authorization: Bearer $${KEY}"` : `"x-api-key: $${KEY}"`;
  const lines = [
    `curl${body.stream ? " --no-buffer" : ""} ${quoted(`${base}${PATHS[dialect]}`)}`,
    `-H ${auth}`,
    ...(dialect === "anthropic" ? ["-H 'anthropic-version: 2023-06-01'"] : []),
    "-H 'content-type: application/json'",
    `-d ${quoted(JSON.stringify(body, null, 2))}`,
  ];
  return lines.join(" \\\n  ");
}

/** A JSON value as Python writes it. */
export function literal(value: unknown, indent = ""): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}    `;
  const items = Array.isArray(value)
    ? value.map((one) => literal(one, deeper))
    : Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${literal(one, deeper)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const flat = `${open}${items.join(", ")}${close}`;
  if (flat.length + indent.length < 88 && !flat.includes("\n")) return flat;
  return `${open}\n${items.map((one) => `${deeper}${one},\n`).join("")}${indent}${close}`;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function pythonOf(base: string, dialect: Dialect, body: Body): string {
  const openai = dialect === "openai";
  const named = Object.entries(body).filter(([name]) => NAME.test(name));
  const others = Object.fromEntries(Object.entries(body).filter(([name]) => !NAME.test(name)));
  const words = named.map(([name, value]) => `    ${name}=${literal(value, "    ")},\n`);
  if (Object.keys(others).length) words.push(`    extra_body=${literal(others, "    ")},\n`);
  const [kind, place] = openai ? ["OpenAI", "chat.completions"] : ["Anthropic", "messages"];
  const url = openai ? `${base}/v1` : base;
  const head =
    `import os\n\nfrom ${dialect} import ${kind}\n\n` +
    `client = ${kind}(base_url=${JSON.stringify(url)}, api_key=os.environ["${KEY}"])\n`;
  const made = `client.${place}.create(\n${words.join("")})\n`;
  if (body.stream !== true) {
    return `${head}reply = ${made}print(reply.${openai ? "choices[0].message.content" : "content[0].text"})\n`;
  }
  const text = openai
    ? '    if event.choices:\n        print(event.choices[0].delta.content or "", end="", flush=True)\n'
    : '    if event.type == "content_block_delta" and event.delta.type == "text_delta":\n' +
      '        print(event.delta.text, end="", flush=True)\n';
  return `${head}for event in ${made.trimEnd()}:\n${text}`;
}
