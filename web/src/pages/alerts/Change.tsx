import { Level } from "~/parts/Level";
import { useAlertWords, wordOf } from "./words";

/** What became of an alert, or what a message tells of it. */
export function Change({ of, severity }: { of: string; severity: string }) {
  const t = useAlertWords();
  const word = wordOf(t, "change", of);
  if (of === "resolved") return <Level grade="good">{word}</Level>;
  if (of === "taken" || of === "test") return <span>{word}</span>;
  return <Level grade={severity === "critical" ? "crit" : "warn"}>{word}</Level>;
}
