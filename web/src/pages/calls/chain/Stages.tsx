import { Group, SegmentedControl, Title } from "@mantine/core";
import { useState } from "react";
import classes from "../calls.module.css";
import type { Stage } from "../types";
import { useCallWords } from "../words";
import { StageTable } from "./StageTable";
import { Waterfall } from "./Waterfall";

/** What a call went through, as a picture or as a table. */
export function Stages({ stages }: { stages: readonly Stage[] }) {
  const t = useCallWords();
  const [look, setLook] = useState("picture");
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="stages">
      <Group justify="space-between" mb="sm">
        <Title order={2} id="stages">
          {t("chain")}
        </Title>
        <SegmentedControl
          size="xs"
          aria-label={t("look")}
          value={look}
          onChange={setLook}
          data={[
            { value: "picture", label: t("picture") },
            { value: "table", label: t("table") },
          ]}
        />
      </Group>
      {look === "table" ? <StageTable stages={stages} /> : <Waterfall stages={stages} />}
    </section>
  );
}
