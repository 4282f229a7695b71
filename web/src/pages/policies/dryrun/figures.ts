/** The figures of a dry run in the order in which they are read, and which way each is good. */
import type { Figures } from "./types";

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

export const figureOf = (figures: Figures, { key }: Figure): number =>
  key === "cost" ? figures.cost_nano / NANO : figures[key];

/** Is the change to the better? Undefined: neither, or there is none. */
export function verdictOf(figure: Figure, before: number, after: number): "better" | "worse" | undefined {
  if (figure.good === "neither" || Math.abs(after - before) < 1e-9) return undefined;
  return after > before === (figure.good === "more") ? "better" : "worse";
}
