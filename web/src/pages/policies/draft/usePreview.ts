/** Has the gate look at each draft: after a short rest, the latest wins, and not for ever. */
import { useCallback, useEffect, useMemo, useState } from "react";
import { ApiProblem } from "~/api/problem";
import { tryPolicy } from "./api";
import { type Action, type Draft, isChecked } from "./draft";

const LARGE = 100_000; // characters
const SLOW_MS = 1_500;
const MOST_MS = 60_000;

export interface Checking {
  /** `slow`: the reader deserves a word about it. */
  state: "done" | "busy" | "slow" | "failed" | "late";
  error: unknown;
  retry: () => void;
}

/** How long to wait for more: controls write at once, typing waits for a pause, the more text the longer. */
export function restOf(draft: Draft): number {
  if (draft.text.length > LARGE) return draft.pending.length ? 500 : 1_200;
  return draft.pending.length ? 120 : 350;
}

export function usePreview(draft: Draft | undefined, act: (action: Action) => void): Checking {
  const [said, setSaid] = useState<Omit<Checking, "retry">>({ state: "done", error: undefined });
  const [again, setAgain] = useState(0);
  const waiting = draft !== undefined && !isChecked(draft);
  const edits = draft?.edits;
  const inForce = (draft?.theirs ?? draft?.base)?.digest;
  useEffect(() => {
    if (!draft || !waiting) {
      setSaid({ state: "done", error: undefined });
      return;
    }
    const gone = new AbortController();
    let late = false;
    const ask = async () => {
      const { base, theirs, text, pending } = draft;
      setSaid({ state: "busy", error: undefined });
      timers.push(setTimeout(() => setSaid({ state: "slow", error: undefined }), SLOW_MS));
      timers.push(
        setTimeout(() => {
          late = true;
          gone.abort();
          setSaid({ state: "late", error: undefined });
        }, MOST_MS),
      );
      try {
        const asked = { base: (theirs ?? base).digest, text, ...(pending.length ? { changes: pending } : {}) };
        const preview = await tryPolicy(asked, gone.signal);
        act({ do: "checked", of: draft.edits, preview, at: Date.now() });
      } catch (error) {
        if (gone.signal.aborted) return;
        setSaid({ state: "failed", error });
        if (error instanceof ApiProblem && (error.unreachable || error.status >= 500)) {
          timers.push(setTimeout(() => setAgain((count) => count + 1), 3_000));
        }
      } finally {
        if (!late) timers.slice(1, 3).forEach(clearTimeout);
      }
    };
    const timers = [setTimeout(() => void ask(), restOf(draft))];
    return () => {
      timers.forEach(clearTimeout);
      gone.abort();
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- these stand for all of the draft that the gate looks at
  }, [edits, waiting, again, inForce]);
  const retry = useCallback(() => setAgain((count) => count + 1), []);
  return useMemo(() => ({ ...said, retry }), [said, retry]);
}
