import { Button, Select, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { post } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { IconPlayerPlay } from "~/parts/icons";
import { Needs } from "~/parts/Needs";
import type { Drill } from "./proofs";
import { useDrillWords } from "./words";

/** Has a drill run now, of all of its strategies or of one. */
export function RunNow({ drill }: { drill: Drill }) {
  const t = useDrillWords();
  const queries = useQueryClient();
  const [asked, setAsked] = useState(false);
  const [strategy, setStrategy] = useState("");
  const run = async () => {
    await post("/drills/{drill}/run", { path: { drill: drill.name }, body: strategy ? { strategy } : {} });
    await queries.invalidateQueries({ queryKey: ["drills"] });
  };
  return (
    <>
      <Needs right="run_drills">
        <Button
          size="xs"
          leftSection={<IconPlayerPlay aria-hidden size={15} />}
          loading={drill.waiting}
          onClick={() => setAsked(true)}
        >
          {t("run_now")}
        </Button>
      </Needs>
      <Confirm
        opened={asked}
        title={t("run_title", { drill: drill.name })}
        action={t("run_now")}
        onConfirm={run}
        onClose={() => setAsked(false)}
      >
        <Text size="sm">{t("run_text")}</Text>
        {drill.strategies.length > 1 ? (
          <Select
            mt="sm"
            label={t("strategy")}
            placeholder={t("all_strategies")}
            clearable
            data={drill.strategies}
            value={strategy || null}
            onChange={(next) => setStrategy(next ?? "")}
          />
        ) : null}
      </Confirm>
    </>
  );
}
