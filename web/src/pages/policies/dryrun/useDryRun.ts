/** One dry run: started, watched until it ends, cancelled. It goes on when the reader looks elsewhere on the page. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { endDryRun, getDryRun, startDryRun } from "../draft/api";
import { useEditing } from "../draft/usePolicy";
import type { DryRun } from "./types";

const LOOK_MS = 700;
const ends = new Set(["done", "failed", "cancelled"]);

export interface Running {
  id: string;
  /** What was played. */
  text: string;
}

const runKey = ["policy", "dryrun-started"] as const;

export function useDryRun() {
  const { draft } = useEditing();
  const queries = useQueryClient();
  const { data: running } = useQuery<Running | null>({ queryKey: runKey, queryFn: () => null, staleTime: Infinity });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const look = useQuery<DryRun>({
    queryKey: ["policy", "dryrun", running?.id],
    queryFn: ({ signal }) => getDryRun(running?.id ?? "", signal),
    enabled: Boolean(running),
    staleTime: Infinity,
    refetchInterval: ({ state }) => (state.data && ends.has(state.data.state) ? false : LOOK_MS),
  });
  const start = async (since: string) => {
    setBusy(true);
    setError(undefined);
    try {
      const { text, base, theirs } = draft;
      const { id } = await startDryRun({ text, base: (theirs ?? base).digest, since });
      queries.setQueryData<Running>(runKey, { id, text });
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  const cancel = async () => {
    if (!running) return;
    await endDryRun(running.id).catch(setError);
    await look.refetch();
  };
  const run = running ? look.data : undefined;
  return {
    run,
    going: Boolean(running) && !look.error && !(run && ends.has(run.state)),
    busy,
    error: error ?? (running ? look.error : undefined),
    stale: Boolean(running) && running?.text !== draft.text,
    start,
    cancel,
  };
}
