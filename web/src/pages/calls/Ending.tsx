import type { Grade } from "~/parts/Level";
import { Level } from "~/parts/Level";
import { type CallWord, useCallWords } from "./words";

const KNOWN: Readonly<Record<number, CallWord>> = { 0: "end_unseen", 499: "end_left", 502: "end_broke" };

/** How a call went, by its status: who left is no failure of ours. */
export function endingOf(status: number): { grade: Grade; word: CallWord } {
  const grade: Grade = status >= 500 || status === 0 ? "crit" : status >= 400 ? "warn" : "good";
  return { grade, word: KNOWN[status] ?? (status < 400 ? "end_answered" : "end_failed") };
}

/** A status as colour, shape and words. */
export function Ending({ status, short }: { status: number; short?: boolean }) {
  const t = useCallWords();
  const { grade, word } = endingOf(status);
  const number = status ? String(status) : "–";
  return (
    <span title={t(word)}>
      <Level grade={grade}>{short ? number : `${number}, ${t(word)}`}</Level>
    </span>
  );
}
