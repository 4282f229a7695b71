/** What is asked, as fields and as the body that they make. Pure. */

export type Dialect = "openai" | "anthropic";

export interface Fields {
  dialect: Dialect;
  model: string;
  namespace: string;
  user: string;
  system: string;
  message: string;
  maxTokens: number | "";
  temperature: number | "";
  stream: boolean;
  /** The body itself, instead of the fields above; undefined: the fields count. */
  raw: string | undefined;
}

export const FIRST: Fields = {
  dialect: "openai",
  model: "",
  namespace: "",
  user: "",
  system: "",
  message: "",
  maxTokens: 256,
  temperature: "",
  stream: true,
  raw: undefined,
};

export type Body = Record<string, unknown>;

const NEEDED = 256; // Anthropic's API demands `max_tokens`

/** The body that the fields make, as an application would send it. */
export function bodyOf(fields: Fields): Body {
  const { dialect, model, system, message, maxTokens, temperature, stream } = fields;
  const openai = dialect === "openai";
  const user = { role: "user", content: message };
  const limit = maxTokens === "" && !openai ? NEEDED : maxTokens;
  return {
    model,
    ...(openai || !system ? {} : { system }),
    messages: openai && system ? [{ role: "system", content: system }, user] : [user],
    ...(limit === "" ? {} : { max_tokens: limit }),
    ...(temperature === "" ? {} : { temperature }),
    ...(stream ? { stream: true, ...(openai ? { stream_options: { include_usage: true } } : {}) } : {}),
  };
}

export const written = (body: Body) => JSON.stringify(body, null, 2);

/** A text as a body; a string says why it is none. */
export function parsed(raw: string): Body | string {
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Body) : "{}";
  } catch (error) {
    return error instanceof Error ? error.message : "?";
  }
}

/** What is sent: the raw body where there is one. A string says why there is nothing to send. */
export function asked(fields: Fields): Body | string {
  return fields.raw === undefined ? bodyOf(fields) : parsed(fields.raw);
}
