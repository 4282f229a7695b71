/** The last five minutes of what the gate told each second: pure, so that it can be tested without a stream. */
import type { LiveLane, LiveRecent, LiveState, Quota } from "./contract";

/** How long the window of the live curves is, in seconds. */
export const WINDOW_S = 300;
/** Seconds that are further apart have a hole between them: nobody looked. */
export const HOLE_S = 5;

type Values = readonly (number | null)[];

const FIGURES = [
  "tokens",
  "requests",
  "reserved",
  "tokens_limit",
  "tokens_learned",
  "requests_limit",
  "requests_learned",
] as const;
type Figure = (typeof FIGURES)[number];

/**
 * One lane, in step with `Track.at`: what was charged in the minute before, how many of the tokens are reserved, and
 * the limits. Of the seconds before the page was opened no limits are known.
 */
export type LaneTrack = Readonly<Record<Figure, Values>>;

export type Total = "calls_per_second" | "error_permille" | "in_flight" | "waiting";

export interface Track {
  /** Seconds since 1970, ascending. */
  at: readonly number[];
  lanes: ReadonlyMap<string, LaneTrack>;
  totals: Readonly<Record<Total, Values>>;
}

export const NO_TRACK: Track = {
  at: [],
  lanes: new Map(),
  totals: { calls_per_second: [], error_permille: [], in_flight: [], waiting: [] },
};

export const laneKey = (one: { provider: string; scope: string; model: string }) =>
  `${one.provider}/${one.scope}/${one.model}`;

export const charged = (quota: Quota) => quota.used + quota.reserved;

const figuresOf = ({ tokens, requests }: LiveLane): Record<Figure, number | null> => ({
  tokens: charged(tokens),
  requests: charged(requests),
  reserved: tokens.reserved,
  tokens_limit: tokens.limit,
  tokens_learned: tokens.learned,
  requests_limit: requests.limit,
  requests_learned: requests.learned,
});
const ofFigures = (values: (figure: Figure) => Values) =>
  Object.fromEntries(FIGURES.map((one) => [one, values(one)])) as Record<Figure, Values>;

const secondOf = (moment: string) => Math.floor(Date.parse(moment) / 1000);
const nothing = (length: number): Values => Array.from({ length }, () => null);

const totalsOf = (state: LiveState): Record<Total, number> => ({
  calls_per_second: state.calls.per_second,
  error_permille: state.calls.error_permille,
  in_flight: state.calls.in_flight,
  waiting: state.queues.reduce((sum, one) => sum + one.waiting, 0),
});

const ofEach = (values: (total: Total) => Values): Record<Total, Values> => ({
  calls_per_second: values("calls_per_second"),
  error_permille: values("error_permille"),
  in_flight: values("in_flight"),
  waiting: values("waiting"),
});

/** With one more second; what is older than the window is dropped. The same second again changes the last. */
export function grown(track: Track, state: LiveState): Track {
  const now = secondOf(state.at);
  const last = track.at.at(-1);
  const again = last !== undefined && now <= last;
  const at = again ? track.at : [...track.at, now];
  const from = again
    ? 0
    : Math.max(
        0,
        at.findIndex((one) => one > now - WINDOW_S),
      );
  const add = (values: Values, value: number | null) =>
    (again ? [...values.slice(0, -1), value] : [...values, value]).slice(from);
  const empty = nothing(track.at.length);
  const lanes = new Map<string, LaneTrack>();
  for (const lane of state.lanes) {
    const before = track.lanes.get(laneKey(lane));
    const now = figuresOf(lane);
    lanes.set(
      laneKey(lane),
      ofFigures((one) => add(before?.[one] ?? empty, now[one])),
    );
  }
  for (const [key, before] of track.lanes) {
    if (lanes.has(key)) continue;
    const tokens = add(before.tokens, null);
    if (tokens.some((one) => one !== null))
      lanes.set(
        key,
        ofFigures((one) => add(before[one], null)),
      );
  }
  const sums = totalsOf(state);
  const totals = ofEach((one) => add(track.totals[one], sums[one]));
  return { at: at.slice(from), lanes, totals };
}

/** With what was before the page was opened; what it has seen itself stays. */
export function filled(track: Track, { points }: LiveRecent): Track {
  const times = points.at.map(secondOf);
  const first = track.at[0] ?? Number.POSITIVE_INFINITY;
  const older = times.flatMap((at, index) => (at < first && at > (times[index - 1] ?? 0) ? [index] : []));
  if (!older.length) return track;
  const pick = (values: readonly number[] | undefined) => older.map((index) => values?.[index] ?? null);
  const empty = nothing(track.at.length);
  const lanes = new Map<string, LaneTrack>();
  for (const key of new Set([...track.lanes.keys(), ...Object.keys(points.lanes)])) {
    const [past, seen] = [points.lanes[key] as Partial<Record<Figure, number[]>> | undefined, track.lanes.get(key)];
    lanes.set(
      key,
      ofFigures((one) => [...pick(past?.[one]), ...(seen?.[one] ?? empty)]),
    );
  }
  const totals = ofEach((one) => [...pick(points.totals[one]), ...track.totals[one]]);
  const at = [...older.map((index) => times[index] ?? 0), ...track.at];
  return { at, lanes, totals };
}
