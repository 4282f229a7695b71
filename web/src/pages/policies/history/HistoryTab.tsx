import { Button, Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { useFormat } from "~/i18n/format";
import { type Column, DataTable } from "~/parts/DataTable";
import { Level } from "~/parts/Level";
import { Moment } from "~/parts/Moment";
import { Problem } from "~/parts/Problem";
import { getHistory, historyKey, PAGE } from "../draft/api";
import { useEditing } from "../draft/usePolicy";
import classes from "../policies.module.css";
import type { HistoryEntry } from "../types";
import { usePolicyWords } from "../words";
import { Version } from "./Version";

function useColumns(inForce: string): Column<HistoryEntry>[] {
  const t = usePolicyWords();
  const format = useFormat();
  return [
    {
      key: "at",
      title: t("history_when"),
      width: "1.4fr",
      sort: (one) => one.at,
      cell: (one) => (
        <>
          <Moment at={one.at} /> {one.digest === inForce ? <Level grade="good">{t("history_now")}</Level> : null}
        </>
      ),
    },
    { key: "by", title: t("history_by"), width: "0.8fr", sort: (one) => one.by, cell: (one) => one.by || "–" },
    { key: "comment", title: t("history_why"), width: "2fr", cell: (one) => one.comment || t("history_no_comment") },
    {
      key: "lines",
      title: t("history_lines"),
      width: "0.6fr",
      right: true,
      cell: (one) => `+${format.number(one.added)} −${format.number(one.removed)}`,
    },
  ];
}

/** What was in force, who changed it, why; one of them is opened, and can come back. */
export function HistoryTab({ onLoaded }: { onLoaded: () => void }) {
  const t = usePolicyWords();
  const { draft } = useEditing();
  const [params, setParams] = useSearchParams();
  const opened = params.get("version");
  const columns = useColumns(draft.base.digest);
  const history = useInfiniteQuery({
    queryKey: historyKey,
    queryFn: ({ pageParam, signal }) => getHistory(pageParam, signal),
    initialPageParam: undefined as string | number | undefined,
    getNextPageParam: (last: HistoryEntry[]) => (last.length === PAGE ? last.at(-1)?.id : undefined),
  });
  const rows = history.data?.pages.flat() ?? [];
  return (
    <Stack>
      <Problem error={history.error} retry={() => void history.refetch()} />
      <section className="tg-panel">
        <DataTable
          label={t("history_label")}
          columns={columns}
          rows={rows}
          keyOf={(one) => String(one.id)}
          onOpen={(one) => setParams({ version: String(one.id) })}
          height={opened ? 280 : 520}
          empty={
            history.isLoading ? (
              t("loading")
            ) : (
              <>
                <Text fw={600}>{t("history_none")}</Text>
                <Text className="tg-soft">{t("history_none_text")}</Text>
              </>
            )
          }
        />
        {history.hasNextPage ? (
          <Button
            variant="subtle"
            size="xs"
            m="xs"
            loading={history.isFetchingNextPage}
            onClick={() => void history.fetchNextPage()}
          >
            {t("more")}
          </Button>
        ) : null}
      </section>
      {opened ? (
        <section className={`tg-panel ${classes.panel}`}>
          <Version id={opened} onClose={() => setParams({})} onLoaded={onLoaded} />
        </section>
      ) : null}
    </Stack>
  );
}
