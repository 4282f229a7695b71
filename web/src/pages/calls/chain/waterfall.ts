/** Where the stages of a call stand on one axis. Pure; times are microseconds since the call's head arrived. */
import type { Stage } from "../types";

/** A bar for what lasted, a mark for what was decided at a moment. */
export type Kind = "gate" | "wait" | "served" | "failed" | "moment";

export interface Bar {
  stage: Stage;
  kind: Kind;
  /** Percent of the axis. */
  left: number;
  width: number;
}

export interface Waterfall {
  bars: Bar[];
  totalUs: number;
  ticks: { us: number; left: number }[];
}

const WAITS = new Set(["queued", "smoothed", "paused", "limited", "cached"]);
const BEAT_US = 50; // what is shorter is a moment

/** What a stage was. */
export function kindOf(stage: Stage): Kind {
  if (stage.stage === "attempt") {
    const status = Number(stage.figures.status ?? 0);
    return status >= 200 && status < 400 ? "served" : "failed";
  }
  if (stage.stage === "read") return "gate";
  if (WAITS.has(stage.stage) && stage.lasted_us >= BEAT_US) return "wait";
  return "moment";
}

/** A step of 1, 2 or 5 times a power of ten that parts `total` into at most `most`. */
export function stepOf(total: number, most = 5): number {
  const rough = Math.max(total / most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
}

/** All stages, as they began. O(stages). */
export function waterfallOf(stages: readonly Stage[]): Waterfall {
  const totalUs = Math.max(1, ...stages.map((one) => one.at_us + one.lasted_us));
  const percent = (us: number) => Math.min(100, Math.max(0, (us / totalUs) * 100));
  const bars = stages.map((stage) => {
    const left = percent(stage.at_us);
    return { stage, kind: kindOf(stage), left, width: Math.min(100 - left, percent(stage.lasted_us)) };
  });
  const step = stepOf(totalUs);
  const ticks = Array.from({ length: Math.floor(totalUs / step) + 1 }, (_, n) => ({
    us: n * step,
    left: percent(n * step),
  }));
  return { bars, totalUs, ticks };
}
