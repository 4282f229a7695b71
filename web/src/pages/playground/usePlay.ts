import { useCallback, useEffect, useRef, useState } from "react";
import { askThrough } from "~/api/client";
import type { Body, Dialect } from "./fields";
import { type Known, toldOf } from "./live";
import { errorOf, Events, hear, type Heard, jsonOf, SILENCE } from "./stream";

export interface Play extends Known {
  dialect: Dialect;
  call: string;
  heard: Heard;
  /** What came, where it is neither JSON nor events. */
  raw: string;
  /** The admin API's own refusal, or nobody answered. */
  problem: unknown;
}

export interface Question {
  dialect: Dialect;
  body: Body;
  namespace: string;
  user: string;
}

const BEAT_MS = 60; // what comes within it is drawn at once
const TICK_MS = 250; // how old a call is whose answer has not begun

const NOTHING: Play = {
  state: "idle",
  dialect: "openai",
  status: 0,
  call: "",
  heard: SILENCE,
  raw: "",
  problem: undefined,
  told: undefined,
  headMs: undefined,
  firstMs: undefined,
  events: 0,
  sinceMs: 0,
  tookMs: undefined,
};

async function whole(response: Response, dialect: Dialect): Promise<Pick<Play, "heard" | "raw">> {
  const text = await response.text();
  const body = jsonOf(text);
  if (body === undefined) return { heard: SILENCE, raw: text };
  const first: unknown = Array.isArray(body) ? body[0] : body;
  const error = errorOf(first);
  return { heard: error ? { ...SILENCE, error } : hear(dialect, SILENCE, first), raw: "" };
}

type Tell = (heard: Heard, events: number) => void;

async function streamed(response: Response, dialect: Dialect, tell: Tell): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const events = new Events();
  let heard = SILENCE;
  let many = 0;
  let shown = -BEAT_MS;
  for (;;) {
    const piece = await reader?.read();
    if (!piece || piece.done) return tell(heard, many);
    const told = events.push(piece.value);
    many += told.length;
    heard = told.reduce((now, data) => hear(dialect, now, jsonOf(data)), heard);
    if (told.length === 0 || performance.now() - shown < BEAT_MS) continue;
    shown = performance.now();
    tell(heard, many);
  }
}

/** One call at a time through the gate; `stop` leaves it, which cancels it. */
export function usePlay() {
  const [play, setPlay] = useState<Play>(NOTHING);
  const leaving = useRef<AbortController>(undefined);
  useEffect(() => () => leaving.current?.abort(), []);

  const send = useCallback(async ({ dialect, body, namespace, user }: Question) => {
    leaving.current?.abort();
    const gone = new AbortController();
    leaving.current = gone;
    const began = performance.now();
    const since = () => performance.now() - began;
    const change = (next: Partial<Play>) => {
      if (leaving.current === gone) setPlay((now) => ({ ...now, ...next }));
    };
    setPlay({ ...NOTHING, dialect, state: "waiting" });
    const ticking = setInterval(() => change({ sinceMs: since() }), TICK_MS);
    try {
      const who = { ...(namespace ? { namespace } : {}), ...(user ? { user } : {}) };
      const asked = { dialect, body, ...who };
      const response = await askThrough("post", "/playground", { body: asked, signal: gone.signal });
      const call = response.headers.get("x-tidegate-call") ?? "";
      const told = toldOf(response.headers);
      change({ state: "answering", status: response.status, call, told, headMs: since(), sinceMs: since() });
      if (response.headers.get("content-type")?.includes("event-stream")) {
        let first: number | undefined;
        await streamed(response, dialect, (heard, events) => {
          if (first === undefined && (heard.text || heard.thought || heard.tools)) first = since();
          change({ heard, events, firstMs: first, sinceMs: since() });
        });
      } else change(await whole(response, dialect));
      change({ state: "ended", tookMs: since() });
    } catch (problem) {
      if (gone.signal.aborted) change({ state: "stopped", tookMs: since() });
      else change({ state: "broken", problem, tookMs: since() });
    } finally {
      clearInterval(ticking);
    }
  }, []);
  const stop = useCallback(() => leaving.current?.abort(), []);
  return { play, send, stop };
}
