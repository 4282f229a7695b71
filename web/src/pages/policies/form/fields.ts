/** The fields that have a control: where they stand, what they may be, and what is true where they are left out. */
import { even, type Ladder, powers, steps } from "./ladder";

export type Unit =
  "per_minute" | "tokens_minute" | "requests" | "per_second" | "percent" | "ms" | "s" | "times" | "none";

interface Known {
  key: string;
  /** Below the strategy. */
  path: readonly string[];
}

export interface NumberField extends Known {
  kind: "number";
  unit: Unit;
  ladder: Ladder;
  min: number;
  max: number;
  /** Undefined: no bound. */
  fallback: number | undefined;
  decimals: number;
}

export interface CheckField extends Known {
  kind: "check";
  fallback: boolean;
  /** What is written for a tick and for none, where that is not true and false. */
  words?: readonly [on: string, off: string];
}

export interface ChoiceField extends Known {
  kind: "choice";
  choices: readonly string[];
  fallback: string;
}

export interface TextField extends Known {
  kind: "text";
  suggestions: readonly string[];
  fallback: undefined;
}

export type Field = NumberField | CheckField | ChoiceField | TextField;

const MOST = 1_000_000_000_000;
const DAY = 86_400;
const times = [
  1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200,
];
const within = (most: number) => [...times, DAY].filter((one) => one <= most);
const days = [2, 3, 7, 14, 30, 90, 180, 365].map((many) => many * DAY);
const percents = even(0, 1, 0.01);

const number = (
  key: string,
  path: readonly string[],
  unit: Unit,
  ladder: Ladder,
  [min, max]: readonly [number, number],
  fallback: number | undefined,
  decimals = 0,
): NumberField => ({ kind: "number", key, path, unit, ladder, min, max, fallback, decimals });
const check = (key: string, path: readonly string[], fallback: boolean): CheckField => ({
  kind: "check",
  key,
  path,
  fallback,
});
const choice = (key: string, path: readonly string[], choices: readonly string[]): ChoiceField => ({
  kind: "choice",
  key,
  path,
  choices,
  fallback: choices[0] as string,
});

const rate = (...rest: string[]) => ["rate_limit_policy", ...rest];
const retry = (name: string) => ["retry_policy", name];
const cache = (...rest: string[]) => ["caching", ...rest];
const stream = (name: string) => ["streams", name];

export const LIMITS = [
  number("max_rpm", rate("max_rpm"), "per_minute", powers(1, 1e6, { open: true }), [1, MOST], undefined),
  number("max_tpm", rate("max_tpm"), "tokens_minute", powers(100, 1e9, { open: true }), [1, MOST], undefined),
  choice("throttle_type", rate("throttle_type"), ["token_bucket"]),
  number("bucket_capacity", rate("bucket_capacity"), "requests", powers(1, 1e5, { open: true }), [1, MOST], undefined),
  number(
    "refill_rate",
    rate("refill_rate"),
    "per_second",
    powers(0.1, 1e4, { whole: false, open: true }),
    [0.001, 1e9],
    undefined,
    3,
  ),
] as const;
export const SMOOTHING = [
  number("threshold", rate("smoothing", "threshold"), "percent", percents, [0, 1], 0.85, 2),
  number(
    "delay_ms",
    rate("smoothing", "delay_ms"),
    "ms",
    steps(0, 10, 20, 50, 100, 150, 200, 300, 500, 750, 1e3, 2e3, 5e3, 1e4, 3e4, 6e4),
    [0, 60_000],
    100,
  ),
] as const;
export const RETRIES = [
  number("max_retries", retry("max_retries"), "none", even(0, 10, 1), [0, 100], 3),
  number(
    "backoff_multiplier",
    retry("backoff_multiplier"),
    "times",
    steps(1, 1.1, 1.2, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6, 8, 10),
    [1, 100],
    2,
    3,
  ),
  check("jitter_enabled", retry("jitter_enabled"), true),
] as const;
export const RETRIES_MORE = [
  number("base_seconds", retry("base_seconds"), "s", powers(0.05, 60, { whole: false }), [0.001, DAY], 0.5, 3),
  number("cap_seconds", retry("cap_seconds"), "s", steps(...within(3_600)), [0.001, DAY], 60, 3),
  number("budget", retry("budget"), "percent", percents, [0, 1], 0.2, 2),
  number(
    "budget_floor",
    retry("budget_floor"),
    "none",
    steps(0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3),
    [0, 1_000_000],
    10,
  ),
] as const;
export const CACHING = [
  check("caching", cache("enabled"), false),
  check("cache_input_hash", cache("cache_input_hash"), true),
  number("ttl_seconds", cache("ttl_seconds"), "s", steps(...times, DAY, ...days), [1, 365 * DAY], 3_600),
] as const;
export const CACHING_MORE = [
  choice("cache_scope", cache("scope"), ["namespace", "user", "key"]),
  choice("semantic_mode", cache("semantic", "mode"), ["off", "shadow", "on"]),
  number("stale_seconds", cache("stale_seconds"), "s", steps(0, ...times, DAY, ...days), [0, 365 * DAY], 0),
  choice("replay", cache("replay"), ["at_once", "paced"]),
  choice("charge", cache("charge"), ["nothing", "full"]),
  check("coalesce", cache("coalesce"), true),
  check("cache_tools", cache("tools"), false),
] as const;
const ASYNC: CheckField = {
  kind: "check",
  key: "async",
  path: ["execution_mode"],
  fallback: false,
  words: ["async", "sync"],
};
const QUEUE: TextField = {
  kind: "text",
  key: "queue_backend",
  path: ["queue_backend"],
  fallback: undefined,
  suggestions: ["redis://localhost:6379/0", "amqp://localhost:5672", "sqlite://"],
};
export const EXECUTION = [ASYNC, QUEUE] as const;
export const TIMES = [
  number("deadline_seconds", ["deadline_seconds"], "s", steps(...within(DAY)), [0.001, DAY], 120, 3),
  number("fallback_after_seconds", ["fallback_after_seconds"], "s", steps(...within(DAY)), [0.001, DAY], 45, 3),
] as const;
export const STREAMS = [
  choice("on_cut", stream("on_cut"), ["fail", "continue", "restart"]),
  choice("on_disconnect", stream("on_disconnect"), ["cancel", "drain"]),
  choice("on_unsupported", ["on_unsupported"], ["drop", "refuse"]),
] as const;
export const STREAMS_MORE = [
  number(
    "hedge_after_ms",
    stream("hedge_after_ms"),
    "ms",
    steps(0, 100, 200, 300, 500, 750, 1e3, 1.5e3, 2e3, 3e3, 5e3, 1e4, 3e4, 6e4),
    [0, 600_000],
    0,
  ),
  number("hedge_budget", stream("hedge_budget"), "percent", percents, [0, 1], 0.02, 2),
] as const;

export const FIELDS: readonly Field[] = [
  ...LIMITS,
  ...SMOOTHING,
  ...RETRIES,
  ...RETRIES_MORE,
  ...CACHING,
  ...CACHING_MORE,
  ...EXECUTION,
  ...TIMES,
  ...STREAMS,
  ...STREAMS_MORE,
];
