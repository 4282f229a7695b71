/** What the gate tells each second, over one stream for all that is shown of it. */
import { useSyncExternalStore } from "react";
import { addressOf, askJson } from "./client";
import type { LiveRecent, LiveState } from "./contract";

/** How long the window of the live curves is, in seconds. */
export const WINDOW_S = 300;
const SILENT_MS = 5_000;
const AGAIN_MS = [1_000, 2_000, 4_000, 8_000];

/** The last five minutes of one lane, in step with `Live.at`. */
export interface LaneTrack {
  tokens: (number | null)[];
  requests: (number | null)[];
}

export interface Live {
  /** Not live: the stream is not open yet, or was lost at `since`. */
  status: "opening" | "live" | "lost";
  since: Date | undefined;
  state: LiveState | undefined;
  /** Seconds since 1970, of the last five minutes. */
  at: number[];
  lanes: ReadonlyMap<string, LaneTrack>;
}

export const laneKey = (one: { provider: string; scope: string; model: string }) =>
  `${one.provider}/${one.scope}/${one.model}`;

const nothing = (length: number) => Array.from({ length }, () => null);

/** `live` with one more second; what is older than the window is dropped. A repeated second changes the last. */
export function grown(live: Live, state: LiveState): Live {
  const now = Math.floor(Date.parse(state.at) / 1000);
  const last = live.at.at(-1);
  const again = last !== undefined && now <= last;
  const at = again ? live.at : [...live.at, now];
  const from = again ? 0 : at.findIndex((one) => one > now - WINDOW_S);
  const lanes = new Map<string, LaneTrack>();
  const empty = nothing(live.at.length);
  const add = (track: (number | null)[], value: number | null) =>
    (again ? [...track.slice(0, -1), value] : [...track, value]).slice(from);
  for (const lane of state.lanes) {
    const before = live.lanes.get(laneKey(lane)) ?? { tokens: empty, requests: empty };
    lanes.set(laneKey(lane), {
      tokens: add(before.tokens, lane.tokens.used),
      requests: add(before.requests, lane.requests.used),
    });
  }
  for (const [key, before] of live.lanes) {
    if (!lanes.has(key)) lanes.set(key, { tokens: add(before.tokens, null), requests: add(before.requests, null) });
  }
  return { status: "live", since: undefined, state, at: at.slice(from), lanes };
}

/** `live` with what was before it was opened; what it has seen itself stays. */
export function filled(live: Live, recent: LiveRecent): Live {
  const times = recent.points.at.map((one) => Math.floor(Date.parse(one) / 1000));
  const first = live.at[0] ?? Number.POSITIVE_INFINITY;
  const older = times.map((_, index) => index).filter((index) => (times[index] ?? first) < first);
  if (!older.length) return live;
  const pick = (values: readonly number[] | undefined) => older.map((index) => values?.[index] ?? null);
  const blank = nothing(live.at.length);
  const lanes = new Map<string, LaneTrack>();
  for (const key of new Set([...live.lanes.keys(), ...Object.keys(recent.points.lanes)])) {
    const [past, seen] = [recent.points.lanes[key], live.lanes.get(key)];
    lanes.set(key, {
      tokens: [...pick(past?.tokens), ...(seen?.tokens ?? blank)],
      requests: [...pick(past?.requests), ...(seen?.requests ?? blank)],
    });
  }
  return { ...live, at: [...pick(times).map(Number), ...live.at], lanes };
}

const NOTHING: Live = { status: "opening", since: undefined, state: undefined, at: [], lanes: new Map() };
let live: Live = NOTHING;
const listeners = new Set<() => void>();
let source: EventSource | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let tries = 0;

function become(next: Live) {
  live = next;
  for (const tell of listeners) tell();
}

function lost() {
  if (live.status === "live") become({ ...live, status: "lost", since: new Date() });
}

function watchSilence() {
  clearTimeout(timer);
  timer = setTimeout(() => open(), SILENT_MS); // a stream that says nothing may be a dead peer's
}

function later() {
  lost();
  source?.close();
  source = undefined;
  clearTimeout(timer);
  timer = setTimeout(open, AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)]);
  tries += 1;
}

async function fill() {
  try {
    const recent = await askJson<LiveRecent>("get", "/live/recent", { query: { seconds: WINDOW_S } });
    become(filled(live, recent));
  } catch {
    // the curves begin now
  }
}

function open() {
  if (live.status === "live") lost();
  source?.close();
  const mine = new EventSource(addressOf("/live"));
  source = mine;
  let first = true;
  mine.addEventListener("state", (event: MessageEvent<string>) => {
    tries = 0;
    become(grown(live, JSON.parse(event.data) as LiveState));
    watchSilence();
    if (first) void fill();
    first = false;
  });
  mine.addEventListener("error", () => {
    if (source !== mine) return;
    void askSession().finally(() => {
      if (source === mine) later();
    });
  });
  watchSilence();
}

/** A stream tells no status: an ordinary question finds out whether the session has ended, and waits for another. */
async function askSession() {
  await askJson("get", "/whoami").catch(() => undefined);
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  if (listeners.size === 1) open();
  return () => {
    listeners.delete(tell);
    if (listeners.size > 0) return;
    source?.close();
    source = undefined;
    clearTimeout(timer);
    live = { ...live, status: "opening", since: undefined };
  };
}

/** What is true now, and the five minutes before; reconnects by itself. */
export function useLive(): Live {
  return useSyncExternalStore(subscribe, () => live);
}
