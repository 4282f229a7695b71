/** What is bad, and which lanes come first: pure. The thresholds are the mission's. */
import type { LiveLane, LiveSentence, LiveState, Quota } from "~/api/contract";
import { charged } from "~/api/live";
import { type Grade, gradeOf } from "~/parts/Level";

export const WAIT_MS = [200, 500] as const;
export const UTILISATION = [0.9, 0.95] as const;
export const ERROR_PERMILLE = [5, 10] as const;

/** What binds: the learnt limit where there is one, as the provider knows better than the configuration. */
export const limitOf = (quota: Quota) => quota.learned ?? quota.limit;

/** How much of its limit is charged; 0 without one. */
export function shareOf(quota: Quota): number {
  const limit = limitOf(quota);
  return limit ? charged(quota) / limit : 0;
}

export const fullness = (lane: LiveLane) => Math.max(shareOf(lane.tokens), shareOf(lane.requests));

export function gradeOfLane(lane: LiveLane): Grade {
  if (lane.closed_since || lane.limited_since) return "crit";
  const full = gradeOf(fullness(lane), ...UTILISATION);
  return full === "good" && (lane.drained || lane.throttled_minute > 0) ? "warn" : full;
}

const WEIGHT: Readonly<Record<Grade, number>> = { crit: 0, warn: 1, good: 2 };

/** The worst first, the idle last. Fullness counts in tenths, so that rows do not change places every second. */
export function worstFirst(lanes: readonly LiveLane[]): LiveLane[] {
  const ranked = lanes.map((lane) => ({
    lane,
    weight: WEIGHT[gradeOfLane(lane)],
    full: Math.floor(fullness(lane) * 10),
    idle: charged(lane.tokens) + charged(lane.requests) === 0,
    name: `${lane.model} ${lane.provider} ${lane.scope}`,
  }));
  ranked.sort(
    (a, b) => a.weight - b.weight || b.full - a.full || Number(a.idle) - Number(b.idle) || (a.name < b.name ? -1 : 1),
  );
  return ranked.map((one) => one.lane);
}

/** Those in whose names every word stands. */
export function matching(lanes: readonly LiveLane[], words: string): readonly LiveLane[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return lanes;
  return lanes.filter((lane) => {
    const name = `${lane.model} ${lane.provider} ${lane.scope}`.toLowerCase();
    return wanted.every((word) => name.includes(word));
  });
}

export const longestWait = (state: LiveState) => Math.max(0, ...state.queues.map((one) => one.wait_p99_ms));
export const waiting = (state: LiveState) => state.queues.reduce((sum, one) => sum + one.waiting, 0);

/** How bad what the sentence says is. */
export function gradeOfSentence({ code, values }: LiveSentence): Grade {
  if (code === "well" || code === "idle") return "good";
  if (code === "no_worker" || code === "limited" || code === "breaker_open") return "crit";
  if (code === "failing") return gradeOf(Number(values.permille), ...ERROR_PERMILLE);
  if (code === "near_quota") return gradeOf(Number(values.percent) / 100, ...UTILISATION);
  if (code === "queueing") return gradeOf(Number(values.wait_ms), ...WAIT_MS);
  return "warn";
}
