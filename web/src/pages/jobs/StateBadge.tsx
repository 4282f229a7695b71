import { Badge } from "@mantine/core";
import type { Answer } from "~/api/client";
import { useJobWords } from "./words";

export type State = "queued" | "running" | "done" | "failed" | "dead" | "cancelled";
export type Job = Answer<"/jobs">["jobs"][number];

const COLOURS: Readonly<Record<State, string>> = {
  queued: "gray",
  running: "cyan",
  done: "green",
  failed: "orange",
  dead: "red",
  cancelled: "gray",
};

export const ENDED: ReadonlySet<string> = new Set(["done", "failed", "dead", "cancelled"]);

/** How a job stands, in a word. */
export function StateBadge({ state }: { state: string }) {
  const t = useJobWords();
  const known = state in COLOURS ? (state as State) : undefined;
  const word = known === "running" ? "running_state" : known;
  return (
    <Badge variant="light" radius="sm" tt="none" {...(known ? { color: COLOURS[known] } : {})}>
      {word ? t(word) : state}
    </Badge>
  );
}
