import { Button, Group } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { post } from "~/api/client";
import { IconBellOff, IconCheck } from "~/parts/icons";
import { Needs } from "~/parts/Needs";
import { Problem } from "~/parts/Problem";
import type { Alert } from "./queries";
import { SilenceForm } from "./SilenceForm";
import { useAlertWords } from "./words";

/** What can be done to an alert that is on: take it, so that it is not repeated; have nothing told of it for a while. */
export function Deeds({ alert }: { alert: Alert }) {
  const t = useAlertWords();
  const queries = useQueryClient();
  const [silencing, setSilencing] = useState(false);
  const take = useMutation({
    mutationFn: () => post("/alerts/{alert}/ack", { path: { alert: alert.id } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["alerts"] }),
  });
  const fires = alert.stage === "firing" || alert.stage === "clearing";
  return (
    <div>
      <Group gap="xs" wrap="nowrap">
        {fires && !alert.taken ? (
          <Needs right="change_alerts">
            <Button
              size="xs"
              variant="default"
              title={t("take_means")}
              leftSection={<IconCheck aria-hidden size={15} />}
              loading={take.isPending}
              onClick={() => take.mutate()}
            >
              {t("take")}
            </Button>
          </Needs>
        ) : null}
        {alert.silenced ? null : (
          <Needs right="change_alerts">
            <Button
              size="xs"
              variant="default"
              leftSection={<IconBellOff aria-hidden size={15} />}
              onClick={() => setSilencing(true)}
            >
              {t("silence")}
            </Button>
          </Needs>
        )}
      </Group>
      <Problem error={take.error} />
      <SilenceForm
        opened={silencing}
        onClose={() => setSilencing(false)}
        match={{ rule: alert.rule, ...alert.labels }}
      />
    </div>
  );
}
