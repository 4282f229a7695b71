/** What a stage was, in the reader's language: from its figures, as the gate's own words are English. */
import type { Format } from "~/i18n/format";
import type { Tell } from "~/i18n/told";
import type { Stage } from "../types";
import { CALL_WORDS, type CallWord, type SayCall } from "../words";

export interface Teller {
  t: SayCall;
  format: Format;
  reasons: (words: string) => string;
  told: Tell;
}

export interface Candidate {
  name: string;
  wait: string;
}

/** A word of the catalogue by a prefix and what the gate says; else what it says. */
function worded(t: SayCall, prefix: string, said: string): string {
  const key = `${prefix}${said}`;
  return key in CALL_WORDS.en ? t(key as CallWord) : said;
}

export function nameOf(t: SayCall, stage: Stage): string {
  return worded(t, "stage_", stage.stage.replace(" ", "_"));
}

/** A layer of the cache, and so why it answered. */
export function layerOf(t: SayCall, layer: string): string {
  return worded(t, "layer_", layer);
}

const us = (format: Format, value: number) =>
  value < 1_000 ? `${format.number(value)} µs` : format.milliseconds(value / 1_000);

const FOREVER = 2 ** 60;

/** The targets there were to choose from, each with the wait that it would have meant. */
export function candidatesOf({ t, format, reasons }: Teller, stage: Stage): Candidate[] {
  if (stage.stage !== "chosen") return [];
  return Object.entries(stage.figures)
    .filter(([name]) => name !== "dropped")
    .map(([name, value]) => {
      const [first = "", ...rest] = String(value).split(" ");
      const wait = /^[0-9]+$/.test(first)
        ? first === "0"
          ? t("at_once")
          : t("in_time", { time: us(format, Number(first)) })
        : worded(t, "wait_", first);
      return { name, wait: rest.length ? `${wait} (${reasons(rest.join(" "))})` : wait };
    });
}

type Lane = Stage["lanes"][number];

const SCORES: Readonly<Record<string, ((teller: Teller, score: number) => string) | undefined>> = {
  headroom: ({ t, format }, score) => t("score_headroom", { percent: format.percent(score / 1000) }),
  least_loaded: ({ t, format }, score) => t("score_least_loaded", { time: us(format, score * 1000) }),
  weighted: ({ t, format }, score) => t("score_weighted", { n: format.number(score / 1000, 3) }),
  affinity: ({ t, format }, score) => t("score_affinity", { percent: format.percent(score / 1000) }),
};

function stoodAs(teller: Teller, lane: Lane, rule: string): string {
  const { t, format } = teller;
  const state = worded(t, "lane_", lane.state);
  const left = (key: CallWord, have: number, limit: number) =>
    limit ? [t(key, { left: format.number(have), limit: format.number(limit) })] : [];
  const score = SCORES[rule]?.(teller, lane.score);
  return [
    lane.wait_us ? t("lane_for", { state, time: us(format, lane.wait_us) }) : state,
    ...left("lane_requests", lane.requests, lane.request_limit),
    ...left("lane_tokens", lane.tokens, lane.token_limit),
    ...left("lane_outputs", lane.outputs, lane.output_limit),
    ...(lane.calls ? [t("lane_calls", { n: lane.calls })] : []),
    ...(score ? [score] : []),
  ].join(" · ");
}

/** The accounts of the pool that one was picked of, each with how it stood at that moment. */
export function lanesOf(teller: Teller, stage: Stage): { name: string; stood: string; taken: boolean }[] {
  return stage.lanes.map((lane) => ({
    name: lane.scope,
    stood: stoodAs(teller, lane, stage.why),
    taken: lane.state === "taken",
  }));
}

type TellStage = (teller: Teller, stage: Stage, figures: Readonly<Record<string, string | number>>) => string;

const queued: TellStage = ({ t, format }, stage, figures) => {
  const said = [t("waited_at", { why: worded(t, "queue_", stage.why), pool: figures.pool ?? "?" })];
  if (figures.waiting) said.push(t("in_line", { ahead: Number(figures.ahead ?? 0), waiting: Number(figures.waiting) }));
  const foretold = Number(figures.predicted_us ?? NaN);
  if (foretold < FOREVER) said.push(t("foretold", { time: us(format, foretold) }));
  if ("turn" in figures) said.push(t("no_turn"));
  return said.join("; ");
};

const attempt: TellStage = ({ t, reasons, told }, stage, figures) => {
  if (!("status" in figures)) return t("never_left", { why: told(String(figures.error ?? stage.why)) });
  const status = Number(figures.status) ? String(figures.status) : t("no_reply");
  return stage.why ? `${status}, ${reasons(stage.why)}` : status;
};

const chosen: TellStage = ({ t }, stage, figures) => {
  const waits = Object.entries(figures).filter(([name]) => name !== "dropped");
  if (stage.target) return t("chosen_of", { target: stage.target, n: waits.length });
  if (waits.length > 0 && waits.every(([, wait]) => wait === "drained")) return t("all_drained");
  return t(stage.why === "full" ? "none_room" : "none_in_time");
};

const cached: TellStage = ({ t, format }, stage, figures) => {
  if (!figures.layer) return t("cache_said", { said: stage.why });
  const like = "similarity_permille" in figures ? Number(figures.similarity_permille) / 1000 : undefined;
  const layer = layerOf(t, String(figures.layer));
  const age = us(format, Number(figures.age_us ?? 0));
  const said = [
    t("cache_gave", {
      layer: like === undefined ? layer : `${layer}, ${format.number(like, 3)}`,
      source: String(figures.source),
      age,
    }),
    t("cache_saved", {
      prompt: Number(figures.saved_prompt_tokens ?? 0),
      completion: Number(figures.saved_completion_tokens ?? 0),
    }),
  ];
  if (figures.charged) said.push(t("cache_paid"));
  return said.join("; ");
};

const picked: TellStage = ({ t }, stage, figures) => {
  const of = { n: Number(figures.lanes ?? stage.lanes.length), pool: figures.pool ?? "?" };
  return stage.target ? t("picked_of", { ...of, target: stage.target, rule: stage.why }) : t("picked_none", of);
};

const TELL: Readonly<Record<string, TellStage | undefined>> = {
  read: ({ t }, _, figures) => (figures.bytes ? t("was_read", { bytes: Number(figures.bytes) }) : t("was_let_in")),
  chosen,
  picked,
  queued,
  attempt,
  smoothed: ({ t, format }, _, figures) =>
    t("held_back", { percent: format.percent(Number(figures.used_permille ?? 0) / 1000) }),
  paused: ({ t, reasons }, stage) => t("paused_for", { why: reasons(stage.why) }),
  moved: ({ t, reasons }, stage, figures) =>
    t("moved_from", { from: figures.from ?? "?", to: stage.target || t("nowhere"), why: reasons(stage.why) }),
  degraded: ({ t, reasons }, stage) => t("given_less", { what: reasons(stage.why) }),
  limited: ({ t, reasons }, stage) => t("limited_by", { which: reasons(stage.why) }),
  cached,
  refused: ({ t, format, reasons }, stage, figures) => {
    const why = reasons(stage.why);
    const told = Number(figures.told_us ?? 0);
    return told ? t("refused_told", { why, time: us(format, told) }) : why;
  },
  broke: ({ t, reasons }, stage, figures) =>
    t("broke_after", {
      why: reasons(stage.why),
      bytes: Number(figures.sent_bytes ?? 0),
      then: worded(t, "then_", String(figures.then ?? "?")),
    }),
  first_content: ({ t }) => t("first_there"),
  end: ({ t }, _, figures) => {
    const status = Number(figures.status ?? 0);
    const known = `end_${{ 0: "unseen", 499: "left", 502: "broke" }[status] ?? (status < 400 ? "answered" : "failed")}`;
    return `${status || "–"}, ${worded(t, "", known)}`;
  },
};

/** One sentence for a stage; what this page does not know is said as the gate says it. */
export function explain(teller: Teller, stage: Stage): string {
  const figures = stage.figures;
  const said = TELL[stage.stage.replace(" ", "_")]?.(teller, stage, figures) ?? teller.told(stage.says);
  const dropped = Number(figures.dropped ?? 0);
  return dropped ? `${said} (${teller.t("dropped", { n: dropped })})` : said;
}

/** What an attempt was measured by, for a line below it. */
export function measuredOf({ t, format }: Teller, stage: Stage): string[] {
  if (stage.stage !== "attempt") return [];
  const figures = stage.figures;
  const number = (name: string) => Number(figures[name] ?? 0);
  const said: string[] = [];
  if (figures.account) said.push(t("by_account", { account: String(figures.account) }));
  if (number("first_byte_us")) said.push(t("first_byte_after", { time: us(format, number("first_byte_us")) }));
  if (number("prompt_tokens") || number("completion_tokens"))
    said.push(t("in_out", { prompt: number("prompt_tokens"), completion: number("completion_tokens") }));
  if (number("reserved_tokens")) said.push(t("reserved_n", { n: number("reserved_tokens") }));
  if (number("charged_tokens")) said.push(t("charged_n", { n: number("charged_tokens") }));
  return said;
}

export { us as timeOf };
