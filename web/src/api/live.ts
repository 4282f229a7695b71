/** What the gate tells each second, over one stream for all that is shown of it; it opens again by itself. */
import { useSyncExternalStore } from "react";
import { addressOf, askJson } from "./client";
import type { LiveRecent, LiveState } from "./contract";
import { filled, grown, NO_TRACK, type Track, WINDOW_S } from "./track";

export { charged, HOLE_S, laneKey, WINDOW_S } from "./track";
export type { LaneTrack, Total, Track } from "./track";

const SILENT_MS = 8_000;
const AGAIN_MS = [500, 1_000, 2_000, 4_000];
const EARLY_MS = 10_000;

export interface Live {
  status: "opening" | "live" | "lost";
  /** Since when it is not live any more. */
  since: Date | undefined;
  /** Why it is not, where the gate says so: an `ApiProblem`. */
  problem: unknown;
  state: LiveState | undefined;
  track: Track;
}

let live: Live = { status: "opening", since: undefined, problem: undefined, state: undefined, track: NO_TRACK };
let source: EventSource | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let tries = 0;
let before: LiveRecent | undefined; // the seconds before the stream, where they came sooner than its first event
const listeners = new Set<() => void>();

function become(change: Partial<Live>) {
  live = { ...live, ...change };
  for (const tell of listeners) tell();
}

function lost() {
  source?.close();
  source = undefined;
  if (live.status === "live") become({ status: "lost", since: new Date() });
}

function after(delay: number) {
  clearTimeout(timer);
  timer = setTimeout(open, delay);
}

/** A stream tells no status: the same question, asked once, says why, and waits for another session if need be. */
async function again() {
  lost();
  try {
    await askJson("get", "/live/now");
    if (live.problem) become({ problem: undefined });
  } catch (problem) {
    become({ problem });
  }
  if (listeners.size === 0 || source) return;
  after(AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)] ?? 0);
  tries += 1;
}

/** What was meanwhile: asked beside the stream, so that the curves are mostly drawn once. */
async function fill(mine: EventSource) {
  try {
    const recent = await askJson<LiveRecent>("get", "/live/recent", { query: { seconds: WINDOW_S } });
    if (source !== mine) return;
    if (live.status === "live") become({ track: filled(live.track, recent) });
    else before = recent;
  } catch {
    // the curves begin now
  }
}

/** The first second after a hole, with what the gate knows of the hole. */
function begun(state: LiveState): Track {
  const track = grown(NO_TRACK, state);
  return before ? filled(track, before) : track;
}

function hear(event: MessageEvent<string>) {
  const state = JSON.parse(event.data) as LiveState;
  become({
    status: "live",
    since: undefined,
    problem: undefined,
    state,
    track: live.status === "live" ? grown(live.track, state) : begun(state),
  });
  tries = 0;
  before = undefined;
  clearTimeout(timer);
  timer = setTimeout(() => void again(), SILENT_MS); // a dead peer's stream stays open
}

function open() {
  if (listeners.size === 0) return;
  source?.close();
  const mine = new EventSource(addressOf("/live"));
  source = mine;
  before = undefined;
  void fill(mine);
  const over = () => {
    if (source === mine) void again();
  };
  mine.addEventListener("state", hear);
  mine.addEventListener("end", over);
  mine.addEventListener("error", over);
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

/** Opens the stream for who is about to look, before there is anything to show it with. `tell`: there is, or why not. */
export function begin(tell: () => void = () => undefined) {
  setTimeout(subscribe(tell), EARLY_MS);
}

/** What is true now, and the five minutes before. For who has the right `status`. */
export function useLive(): Live {
  return useSyncExternalStore(subscribe, () => live);
}
