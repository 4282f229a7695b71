/** The figures of a dry run in the order in which they are read, and which way each is good. */
import type { Figures, Group, Spread } from "./types";

type Counted = Exclude<keyof Figures, "refusals" | "cost_nano">;

export interface Figure {
  key: Counted | "cost";
  /** More of it is better, or worse, or neither. */
  good: "more" | "less" | "neither";
  kind: "count" | "ms" | "cost";
}

export const FIGURES: readonly Figure[] = [
  { key: "calls", good: "neither", kind: "count" },
  { key: "answered", good: "more", kind: "count" },
  { key: "hits", good: "more", kind: "count" },
  { key: "refused", good: "less", kind: "count" },
  { key: "queued", good: "less", kind: "count" },
  { key: "wait_p95_ms", good: "less", kind: "ms" },
  { key: "degraded", good: "less", kind: "count" },
  { key: "moved", good: "neither", kind: "count" },
  { key: "paused", good: "neither", kind: "count" },
  { key: "failed", good: "less", kind: "count" },
  { key: "throttled", good: "less", kind: "count" },
  { key: "attempts", good: "neither", kind: "count" },
  { key: "cost", good: "less", kind: "cost" },
];

const NANO = 1_000_000_000;
const LEAST = 0.00005; // of money

export const figureOf = (figures: Figures, { key }: Figure): number =>
  key === "cost" ? figures.cost_nano / NANO : figures[key];

/** How far plays lie from each other; undefined: nowhere, or by less than is shown. */
export function spreadOf(spread: Spread, { key, kind }: Figure): number | undefined {
  if (key === "calls") return undefined;
  const by = key === "cost" ? (spread.cost_nano ?? 0) / NANO : (spread[key] ?? 0);
  if (kind === "cost") return by >= LEAST ? by : undefined;
  return by >= 0.5 ? Math.max(1, by) : undefined;
}

/** Is the change no larger than what chance makes? */
export const isUnsure = (group: Group, { key }: Figure): boolean =>
  group.unsure.includes(key === "cost" ? "cost_nano" : key);

/** Is the change to the better? Undefined: neither, or there is none. */
export function verdictOf(figure: Figure, before: number, after: number): "better" | "worse" | undefined {
  if (figure.good === "neither" || Math.abs(after - before) < 1e-9) return undefined;
  return after > before === (figure.good === "more") ? "better" : "worse";
}
