import { Button, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { post } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { IconRefresh } from "~/parts/icons";
import { Needs } from "~/parts/Needs";
import type { Job } from "./StateBadge";
import { useJobWords } from "./words";

const LETTERS: ReadonlySet<string> = new Set(["dead", "failed"]);

/** Those that ended without an answer, and were not cancelled by somebody. */
export const lettersOf = (jobs: readonly Job[]): Job[] => jobs.filter((one) => LETTERS.has(one.state));

interface Refused {
  job: Job;
  problem: unknown;
}

/** One after the other; those that the gate refuses are handed back, the others are done. */
async function beginAnew(jobs: readonly Job[], told: () => void): Promise<Refused[]> {
  const refused: Refused[] = [];
  for (const job of jobs) {
    try {
      await post("/jobs/{job}/requeue", { path: { job: job.id }, body: {} });
      told();
    } catch (problem) {
      refused.push({ job, problem });
    }
  }
  return refused;
}

/** Has the dead letters that are listed begin anew, all of them. */
export function BeginAnew({ jobs }: { jobs: readonly Job[] }) {
  const t = useJobWords();
  const queries = useQueryClient();
  const [chosen, setChosen] = useState<Job[]>();
  const [done, setDone] = useState(0);
  const letters = lettersOf(jobs);
  const open = () => {
    setDone(0);
    setChosen(letters);
  };
  const carryOut = async (all: Job[]) => {
    const refused = await beginAnew(all, () => setDone((before) => before + 1));
    await queries.invalidateQueries({ queryKey: ["jobs"] });
    if (!refused[0]) return;
    setChosen(refused.map((one) => one.job));
    throw refused[0].problem;
  };
  if (letters.length === 0 && !chosen) return null;
  return (
    <>
      <Needs right="change_jobs">
        <Button size="xs" variant="default" leftSection={<IconRefresh aria-hidden size={15} />} onClick={open}>
          {t("requeue_all", { n: letters.length })}
        </Button>
      </Needs>
      {chosen ? (
        <Confirm
          opened
          title={t("requeue_all_title", { n: chosen.length })}
          action={t("requeue")}
          onConfirm={() => carryOut(chosen)}
          onClose={() => setChosen(undefined)}
        >
          <Text size="sm">{t("requeue_all_text")}</Text>
          {done > 0 ? (
            <Text size="sm" role="status">
              {t("requeue_done", { n: done })}
            </Text>
          ) : null}
        </Confirm>
      ) : null}
    </>
  );
}
