/** What a gate answers, as it comes: text, thoughts, usage, or an error, in either dialect. Pure. */
import type { Dialect } from "./fields";

export interface Heard {
  text: string;
  thought: string;
  /** Names and arguments of tools that the model called. */
  tools: string;
  prompt: number | undefined;
  completion: number | undefined;
  finish: string | undefined;
  error: Said | undefined;
}

/** An error in its dialect's words. */
export interface Said {
  message: string;
  type: string;
  code: string;
}

export const SILENCE: Heard = {
  text: "",
  thought: "",
  tools: "",
  prompt: undefined,
  completion: undefined,
  finish: undefined,
  error: undefined,
};

type Obj = Readonly<Record<string, unknown>>;
const obj = (value: unknown): Obj => (typeof value === "object" && value !== null ? (value as Obj) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const str = (value: unknown): string => (typeof value === "string" ? value : "");
const num = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** The error that a body tells; undefined: it tells none. */
export function errorOf(body: unknown): Said | undefined {
  const { error } = obj(body);
  if (typeof error === "string") return { message: error, type: "", code: "" };
  if (typeof error !== "object" || error === null) return undefined;
  const { message, type, code } = obj(error);
  return { message: str(message), type: str(type), code: typeof code === "number" ? String(code) : str(code) };
}

function usage(heard: Heard, told: unknown): Heard {
  const { prompt_tokens, completion_tokens, input_tokens, output_tokens } = obj(told);
  return {
    ...heard,
    prompt: num(prompt_tokens) ?? num(input_tokens) ?? heard.prompt,
    completion: num(completion_tokens) ?? num(output_tokens) ?? heard.completion,
  };
}

/** `delta` of a stream, or `message` of a whole answer. */
function openai(heard: Heard, event: Obj): Heard {
  const counted = usage(heard, event.usage);
  return list(event.choices)
    .filter((one) => !num(obj(one).index)) // the first choice
    .reduce<Heard>((now, one) => {
      const choice = obj(one);
      const said = obj(choice.delta ?? choice.message);
      const tools = list(said.tool_calls).map((call) => {
        const { name, arguments: given } = obj(obj(call).function);
        return `${str(name) ? `${now.tools ? "\n" : ""}${str(name)} ` : ""}${str(given)}`;
      });
      return {
        ...now,
        text: now.text + str(said.content),
        thought: now.thought + str(said.reasoning_content),
        tools: now.tools + tools.join(""),
        finish: str(choice.finish_reason) || now.finish,
      };
    }, counted);
}

function block(heard: Heard, told: Obj): Heard {
  if (told.type === "tool_use") {
    const given = obj(told.input);
    const input = Object.keys(given).length ? JSON.stringify(given) : "";
    return { ...heard, tools: `${heard.tools}${heard.tools ? "\n" : ""}${str(told.name)} ${input}` };
  }
  return {
    ...heard,
    text: heard.text + str(told.text),
    thought: heard.thought + str(told.thinking),
    tools: heard.tools + str(told.partial_json),
  };
}

function anthropic(heard: Heard, event: Obj): Heard {
  switch (event.type) {
    case "message_start":
      return usage(heard, obj(event.message).usage);
    case "content_block_start":
      return block(heard, obj(event.content_block));
    case "content_block_delta":
      return block(heard, obj(event.delta));
    case "message_delta":
      return { ...usage(heard, event.usage), finish: str(obj(event.delta).stop_reason) || heard.finish };
    case "message":
      return list(event.content).reduce<Heard>((now, one) => block(now, obj(one)), {
        ...usage(heard, event.usage),
        finish: str(event.stop_reason) || heard.finish,
      });
    default:
      return heard;
  }
}

/** One event of a stream, or a whole answer. */
export function hear(dialect: Dialect, heard: Heard, event: unknown): Heard {
  const error = errorOf(event);
  if (error) return { ...heard, error };
  return (dialect === "openai" ? openai : anthropic)(heard, obj(event));
}

/** Cuts a stream of server-sent events into their data, wherever its pieces end. */
export class Events {
  private rest = "";

  push(piece: string): string[] {
    const events = (this.rest + piece).replaceAll("\r\n", "\n").split("\n\n");
    this.rest = events.pop() ?? "";
    return events.map(dataOf).filter((data) => data !== "" && data !== "[DONE]");
  }
}

function dataOf(event: string): string {
  return event
    .split("\n")
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trimStart())
    .join("\n");
}

/** JSON, or undefined. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
