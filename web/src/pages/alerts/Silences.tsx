import { Button, Group, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { del, get } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { IconBellOff } from "~/parts/icons";
import { Moment } from "~/parts/Moment";
import { Needs } from "~/parts/Needs";
import { Problem } from "~/parts/Problem";
import classes from "./alerts.module.css";
import { Labels } from "./Labels";
import type { Silence } from "./queries";
import { SilenceForm } from "./SilenceForm";
import { useAlertWords } from "./words";

/** What is not told for now, from the file and made here. */
export function Silences() {
  const t = useAlertWords();
  const [making, setMaking] = useState(false);
  const { data, error, refetch } = useQuery({
    queryKey: ["alerts", "silences"],
    refetchInterval: 10_000,
    queryFn: ({ signal }) => get("/alerts/silences", { signal }),
  });
  return (
    <>
      <Group justify="space-between" mb="md">
        <Text size="sm" className="tg-soft">
          {t("silences_mean")}
        </Text>
        <Needs right="change_alerts">
          <Button leftSection={<IconBellOff aria-hidden size={16} />} onClick={() => setMaking(true)}>
            {t("silence_new")}
          </Button>
        </Needs>
      </Group>
      <Problem error={error} retry={() => void refetch()} />
      {data?.length === 0 ? <Text className={`tg-panel ${classes.none}`}>{t("none_silenced")}</Text> : null}
      <ul className={classes.list} aria-label={t("tab_silences")}>
        {data?.map((one) => (
          <li key={one.id ?? JSON.stringify(one)} className={`tg-panel ${classes.alert}`}>
            <Row silence={one} />
          </li>
        ))}
      </ul>
      <SilenceForm opened={making} onClose={() => setMaking(false)} match={{}} />
    </>
  );
}

function Row({ silence }: { silence: Silence }) {
  const t = useAlertWords();
  const queries = useQueryClient();
  const [asked, setAsked] = useState(false);
  const { id } = silence;
  return (
    <>
      <div className={classes.what}>
        <Labels of={silence.match} />
        <Text size="sm">
          {t("until")} <Moment at={silence.until} /> <span className="tg-soft">(</span>
          <Moment at={silence.until} ago />
          <span className="tg-soft">)</span>
        </Text>
        <Text size="xs" className="tg-soft">
          {silence.declared === "file" ? t("by_file") : t("by", { name: silence.by ?? "?" })} ·{" "}
          <Moment at={silence.since} />
          {silence.why ? ` · ${silence.why}` : ""}
        </Text>
      </div>
      {id ? (
        <Needs right="change_alerts">
          <Button size="xs" variant="default" onClick={() => setAsked(true)}>
            {t("end")}
          </Button>
        </Needs>
      ) : (
        <Text size="xs" className="tg-soft">
          {t("end_in_file")}
        </Text>
      )}
      {id && asked ? (
        <Confirm
          opened
          title={t("end_title")}
          action={t("end")}
          onClose={() => setAsked(false)}
          onConfirm={async () => {
            await del("/alerts/silences/{silence}", { path: { silence: id } });
            await queries.invalidateQueries({ queryKey: ["alerts"] });
          }}
        >
          {t("end_text")}
        </Confirm>
      ) : null}
    </>
  );
}
