/** What the address asks for: which calls, of when, and whether they are followed. */
import { SPAN_S, type Span } from "~/parts/Range";

export const TEXTS = [
  "namespace",
  "user",
  "key",
  "plan",
  "model",
  "served",
  "provider",
  "scope",
  "account",
  "tag",
  "status",
  "reason",
  "trace",
  "request",
  "cache",
] as const;
export type TextField = (typeof TEXTS)[number];
export const TIMES = ["slower_ms", "waited_ms"] as const;
export type TimeField = (typeof TIMES)[number];
export const FLAGS = ["errors", "fell_back", "degraded", "refused"] as const;
export type Flag = (typeof FLAGS)[number];
export type Period = Span | "own";

export const CACHE = ["hit", "made", "exact", "semantic", "stale", "joined", "inputs"] as const;
type Cache = (typeof CACHE)[number];

export type Filters = Partial<
  Record<Exclude<TextField, "cache">, string> & { cache: Cache } & Record<TimeField, number> & Record<Flag, true>
>;

const STATUS = /^([0-9]{1,3}|[1-5]xx)$/;
const TRACE = /^[0-9a-f]{32}$/;

/** What can be asked for of a field; anything else would be refused, as somebody still types. */
function fits(name: TextField, value: string): boolean {
  if (name === "status") return STATUS.test(value);
  if (name === "cache") return CACHE.some((one) => one === value);
  return name !== "trace" || TRACE.test(value);
}

/** The filters that the address names; what it does not know, or what is not whole yet, is none. */
export function filtersOf(params: URLSearchParams): Filters {
  const found: Filters = {};
  for (const name of TEXTS) {
    const value = params.get(name)?.trim();
    if (name !== "cache" && value && fits(name, value)) found[name] = value;
  }
  for (const name of TIMES) {
    const value = Number(params.get(name));
    if (Number.isInteger(value) && value > 0) found[name] = value;
  }
  const cache = CACHE.find((one) => one === params.get("cache")?.trim());
  if (cache) found.cache = cache;
  for (const name of FLAGS) if (params.get(name) === "true") found[name] = true;
  return found;
}

/** Fields whose text is there, but is none that can be asked for. */
export function unfit(params: URLSearchParams): TextField[] {
  return TEXTS.filter((name) => {
    const value = params.get(name)?.trim();
    return value && !fits(name, value);
  });
}

/** Usual questions. */
export const PRESETS = {
  all: {},
  errors: { errors: "true" },
  slow: { slower_ms: "10000" },
  waited: { waited_ms: "1000" },
  fell_back: { fell_back: "true" },
  refused: { refused: "true" },
  degraded: { degraded: "true" },
  cached: { cache: "hit" },
} as const satisfies Record<string, Readonly<Record<string, string>>>;
export type Preset = keyof typeof PRESETS;
const ASKED_BY_PRESETS = ["errors", "slower_ms", "waited_ms", "fell_back", "refused", "degraded", "cache"] as const;

/** Which of them the address asks; undefined: another one. */
export function presetOf(params: URLSearchParams): Preset | undefined {
  return (Object.keys(PRESETS) as Preset[]).find((one) => {
    const asks: Readonly<Record<string, string>> = PRESETS[one];
    return ASKED_BY_PRESETS.every((name) => (params.get(name) ?? "") === (asks[name] ?? ""));
  });
}

/** The address that asks this; whose calls, and when, stays as it was. */
export function withPreset(params: URLSearchParams, preset: Preset): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const name of ASKED_BY_PRESETS) next.delete(name);
  for (const [name, value] of Object.entries(PRESETS[preset])) next.set(name, value);
  return next;
}

export function periodOf(params: URLSearchParams): Period {
  const named = params.get("period") ?? "";
  if (named in SPAN_S) return named as Span;
  return params.has("since") || params.has("until") ? "own" : "24h";
}

const moment = (text: string | null) => {
  const date = new Date(text ?? "");
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
};

/** The moments that a search begins and ends with. A trace or a request is looked for whenever it was. */
export function boundsOf(params: URLSearchParams, now = new Date()): { since?: string; until?: string } {
  const period = periodOf(params);
  if (period !== "own") {
    const named = params.get("trace") ?? params.get("request");
    if (named && !params.has("period")) return {};
    return { since: new Date(now.getTime() - SPAN_S[period] * 1000).toISOString() };
  }
  const since = moment(params.get("since"));
  const until = moment(params.get("until"));
  return { ...(since ? { since } : {}), ...(until ? { until } : {}) };
}

/** How many filters are set that are not a preset's own. */
export function furtherSet(params: URLSearchParams): number {
  return TEXTS.filter((name) => params.get(name)).length;
}
