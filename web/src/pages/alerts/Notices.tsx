import { Group, Select, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { get } from "~/api/client";
import { type Tell, useTold } from "~/i18n/told";
import { type Column, DataTable } from "~/parts/DataTable";
import { Level } from "~/parts/Level";
import { Moment } from "~/parts/Moment";
import { Problem } from "~/parts/Problem";
import { Change } from "./Change";
import type { Notice } from "./queries";
import { type AlertWords, useAlertWords, wordOf } from "./words";

function Fate({ notice }: { notice: Notice }) {
  const t = useAlertWords();
  const word = wordOf(t, "fate", notice.stage);
  if (notice.stage === "sent") return <Level grade="good">{word}</Level>;
  if (notice.stage === "failed") return <Level grade="crit">{word}</Level>;
  return notice.problem ? <Level grade="warn">{word}</Level> : <span>{word}</span>;
}

/** What else is to be said of a message: why it was not taken, or that it may have come twice. */
function remarkOf(t: AlertWords, told: Tell, notice: Notice): string {
  const twice = notice.repeated ? t("maybe_twice") : "";
  return [told(notice.problem), twice].filter(Boolean).join(t("semicolon"));
}

function useColumns(): Column<Notice>[] {
  const t = useAlertWords();
  const told = useTold();
  return [
    { key: "at", title: t("at"), width: "9rem", cell: (one) => <Moment at={one.at} ago />, sort: (one) => one.at },
    { key: "channel", title: t("channel"), width: "8rem", cell: (one) => one.channel, sort: (one) => one.channel },
    {
      key: "state",
      title: t("tells"),
      width: "9rem",
      cell: (one) => <Change of={one.state} severity={one.severity} />,
      sort: (one) => one.state,
    },
    {
      key: "rules",
      title: t("rule"),
      width: "1.4fr",
      cell: (one) => {
        const rules = one.rules.map((rule) => wordOf(t, "metric", rule)).join(t("comma"));
        return <span title={rules}>{`${t("n_alerts", { n: one.alerts })}${rules ? t("colon") + rules : ""}`}</span>;
      },
    },
    { key: "fate", title: t("fate"), width: "8rem", cell: (one) => <Fate notice={one} />, sort: (one) => one.stage },
    { key: "tries", title: t("tries"), width: "5rem", right: true, cell: (one) => one.tries, sort: (one) => one.tries },
    {
      key: "remark",
      title: t("remark"),
      width: "1.4fr",
      cell: (one) => <span title={remarkOf(t, told, one)}>{remarkOf(t, told, one) || "–"}</span>,
    },
  ];
}

/** Messages to channels, and what became of them. */
export function Notices() {
  const t = useAlertWords();
  const [params, setParams] = useSearchParams();
  const channel = params.get("channel") ?? "";
  const channels = useQuery({
    queryKey: ["alerts", "channels"],
    queryFn: ({ signal }) => get("/alerts/channels", { signal }),
  });
  const { data, error, refetch } = useQuery({
    queryKey: ["alerts", "notices", channel],
    refetchInterval: 5_000,
    queryFn: ({ signal }) => get("/alerts/notices", { query: { limit: 500, ...(channel ? { channel } : {}) }, signal }),
  });
  const columns = useColumns();
  const names = [...new Set([...(channels.data?.map((one) => one.name) ?? []), ...(channel ? [channel] : [])])];
  return (
    <>
      <Group mb="md" justify="space-between" align="flex-end">
        <Select
          size="xs"
          w={260}
          label={t("channel")}
          placeholder={t("all_channels")}
          clearable
          data={names}
          value={channel || null}
          onChange={(next) => setParams(next ? { channel: next } : {}, { replace: true })}
        />
        <Text size="xs" className="tg-soft">
          {t("notices_mean")}
        </Text>
      </Group>
      <Problem error={error} retry={() => void refetch()} />
      <div className="tg-panel">
        <DataTable
          label={t("tab_notices")}
          columns={columns}
          rows={data ?? []}
          keyOf={(one) => `${one.id} ${one.channel}`}
          empty={t("none_sent")}
        />
      </div>
    </>
  );
}
