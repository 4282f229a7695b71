import { Alert, Button, Group } from "@mantine/core";
import { useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { DataTable } from "~/parts/DataTable";
import { IconPlayerPause, IconPlayerPlay } from "~/parts/icons";
import { Problem } from "~/parts/Problem";
import { useCallWords } from "../words";
import { useCallColumns } from "./columns";
import { MOST } from "./rows";
import { useTail } from "./useTail";
import { filtersOf } from "./wanted";

/** Calls as they end. */
export function Live() {
  const t = useCallWords();
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const [paused, setPaused] = useState(false);
  const columns = useCallColumns();
  const { rows, missed, error, begun } = useTail(filtersOf(params), paused);
  return (
    <>
      <Problem error={error} />
      {missed ? <Alert color="yellow">{t("missed")}</Alert> : null}
      <section className="tg-panel" aria-label={t("live")}>
        <Group justify="space-between" p="xs" gap="xs">
          <span className="tg-soft" role="status">
            {paused ? t("paused") : t("following", { n: rows.length, most: MOST })}
          </span>
          <Button
            size="xs"
            variant="default"
            aria-pressed={paused}
            leftSection={paused ? <IconPlayerPlay aria-hidden size={15} /> : <IconPlayerPause aria-hidden size={15} />}
            onClick={() => setPaused(!paused)}
          >
            {t(paused ? "go_on" : "pause")}
          </Button>
        </Group>
        <DataTable
          label={t("live_list")}
          columns={columns}
          rows={rows}
          keyOf={(one) => one.id}
          onOpen={(one) => void navigate(`/calls/${one.id}`)}
          empty={t(begun ? "none_yet" : "looking")}
          height={620}
        />
      </section>
    </>
  );
}
