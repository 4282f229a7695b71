/** What is known of a call while it runs: by the head of its answer, and by what came so far. Pure. */
import type en from "~/i18n/en/playground";

type Word = keyof typeof en;

/** What the gate tells of the call before the answer itself. */
export interface Told {
  waitedMs: number;
  /** Who answers; empty: nobody was asked, or nobody answered. */
  target: string;
  /** Who was asked before, and what came of it. */
  failed: readonly { target: string; how: string }[];
  /** By which layer of the cache; empty: it was asked of a provider. */
  kept: string;
}

export interface Known {
  state: "idle" | "waiting" | "answering" | "ended" | "stopped" | "broken";
  status: number;
  told: Told | undefined;
  headMs: number | undefined;
  firstMs: number | undefined;
  /** Events of a stream, so far. */
  events: number;
  /** How old the call was when it was last looked at. */
  sinceMs: number;
  tookMs: number | undefined;
}

export interface Step {
  word: Word;
  /** What is alike but for what it is of: several were tried. */
  key: string;
  atMs?: number | undefined;
  /** Times, to be written as the language does. */
  times?: Readonly<Record<string, number>>;
  values?: Readonly<Record<string, string | number>>;
  kind: "done" | "failed" | "running";
}

const ASKED = new Set(["miss", "bypass", ""]);

export function toldOf(headers: Headers): Told {
  const tried = (headers.get("x-tidegate-attempts") ?? "").split(", ").filter(Boolean);
  const cache = headers.get("x-tidegate-cache") ?? "";
  const parted = tried.map((one) => {
    const [target = "", ...how] = one.split(" ");
    return { target, how: how.join(" ") };
  });
  return {
    waitedMs: Number(headers.get("x-tidegate-wait-ms") ?? 0) || 0,
    target: headers.get("x-tidegate-target") ?? "",
    failed: parted.filter(({ how }) => how !== "200"),
    kept: ASKED.has(cache) ? "" : cache,
  };
}

function answered({ told, status, headMs }: Known): Step[] {
  if (!told) return [];
  const { waitedMs, failed, target, kept } = told;
  const steps: Step[] = failed.map((one, turn) => ({
    word: "live_tried",
    key: `tried ${turn}`,
    values: one,
    kind: "failed",
  }));
  if (waitedMs) steps.unshift({ word: "live_waited", key: "waited", times: { time: waitedMs }, kind: "done" });
  const head = { key: "head", atMs: headMs };
  if (kept) steps.push({ ...head, word: "live_kept", values: { kept }, kind: "done" });
  else if (target && status < 400) steps.push({ ...head, word: "live_target", values: { target }, kind: "done" });
  else steps.push({ ...head, word: "live_status", values: { status }, kind: status < 400 ? "done" : "failed" });
  return steps;
}

/** The stages that are known now, in their order; the last one may still go on. */
export function stepsOf(known: Known): Step[] {
  const { state, firstMs, events, sinceMs, tookMs } = known;
  if (state === "idle") return [];
  const steps: Step[] = [{ word: "live_sent", key: "sent", atMs: 0, kind: "done" }, ...answered(known)];
  if (state === "waiting") steps.push({ word: "live_waiting", key: "waiting", atMs: sinceMs, kind: "running" });
  if (firstMs !== undefined) steps.push({ word: "live_first", key: "first", atMs: firstMs, kind: "done" });
  if (events) {
    const kind = state === "answering" ? "running" : "done";
    steps.push({ word: "live_events", key: "events", atMs: tookMs ?? sinceMs, values: { n: events }, kind });
  }
  const ends = { key: "end", atMs: tookMs };
  if (state === "ended") steps.push({ ...ends, word: "state_ended", kind: "done" });
  if (state === "stopped" || state === "broken") steps.push({ ...ends, word: `state_${state}`, kind: "failed" });
  return steps;
}
