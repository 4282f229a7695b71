import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { post } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { IconRefresh, IconX } from "~/parts/icons";
import { Needs } from "~/parts/Needs";
import { ENDED, type Job } from "./StateBadge";
import { useJobWords } from "./words";

type Deed = "cancel" | "requeue";

/** What can be done to a job: cancel it while it is open, have it begin anew when it has no answer. */
export function Deeds({ job }: { job: Job }) {
  const t = useJobWords();
  const queries = useQueryClient();
  const [asked, setAsked] = useState<Deed>();
  const open = !ENDED.has(job.state);
  const carryOut = async (deed: Deed) => {
    const path = { job: job.id };
    if (deed === "cancel") await post("/jobs/{job}/cancel", { path });
    else await post("/jobs/{job}/requeue", { path, body: {} });
    await queries.invalidateQueries({ queryKey: ["jobs"] });
  };
  if (job.state === "done" || (open && job.cancelling)) return null;
  const deed: Deed = open ? "cancel" : "requeue";
  const Icon = open ? IconX : IconRefresh;
  return (
    <>
      <Needs right="change_jobs">
        <Button variant="default" leftSection={<Icon aria-hidden size={16} />} onClick={() => setAsked(deed)}>
          {t(deed)}
        </Button>
      </Needs>
      {asked ? (
        <Confirm
          opened
          title={t(`${asked}_title`)}
          action={t(asked)}
          danger={asked === "cancel"}
          onConfirm={() => carryOut(asked)}
          onClose={() => setAsked(undefined)}
        >
          {t(`${asked}_text`)}
        </Confirm>
      ) : null}
    </>
  );
}
