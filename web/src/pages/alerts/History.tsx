import { Button, Group, Select, Text } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { get } from "~/api/client";
import { type Column, DataTable } from "~/parts/DataTable";
import { Moment } from "~/parts/Moment";
import { Problem } from "~/parts/Problem";
import { Range, SPAN_S, sinceOf, type Span } from "~/parts/Range";
import classes from "./alerts.module.css";
import { Change } from "./Change";
import { Labels } from "./Labels";
import { type AlertEvent, useMetricOf, useRules } from "./queries";
import { Reading } from "./Reading";
import { useAlertWords, wordOf } from "./words";

const PAGE = 200;
const MOST = 1_000;
const spanOf = (text: string | null): Span => (text && text in SPAN_S ? (text as Span) : "24h");

function useColumns(): Column<AlertEvent>[] {
  const t = useAlertWords();
  const metricOf = useMetricOf();
  return [
    { key: "at", title: t("at"), width: "9rem", cell: (one) => <Moment at={one.at} ago />, sort: (one) => one.at },
    {
      key: "change",
      title: t("change"),
      width: "8rem",
      cell: (one) => <Change of={one.change} severity={one.severity} />,
      sort: (one) => one.change,
    },
    {
      key: "rule",
      title: t("rule"),
      width: "1.2fr",
      cell: (one) => {
        const { metric } = metricOf(one.rule);
        return <span title={one.rule}>{metric === one.rule ? wordOf(t, "metric", metric) : one.rule}</span>;
      },
      sort: (one) => one.rule,
    },
    { key: "labels", title: t("where"), width: "1.6fr", cell: (one) => <Labels of={one.labels} /> },
    {
      key: "value",
      title: t("value"),
      width: "1.1fr",
      cell: (one) => <Reading {...metricOf(one.rule)} value={one.value} threshold={one.threshold} />,
    },
    { key: "by", title: t("who"), width: "7rem", cell: (one) => one.by ?? "–" },
  ];
}

/** What became of alerts, for 30 days. */
export function History() {
  const t = useAlertWords();
  const go = useNavigate();
  const [params, setParams] = useSearchParams();
  const [limit, setLimit] = useState(PAGE);
  const rules = useRules();
  const span = spanOf(params.get("span"));
  const rule = params.get("rule") ?? "";
  const set = (name: string, value: string) =>
    setParams(
      (now) => {
        const next = new URLSearchParams(now);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: ["alerts", "history", span, rule, limit],
    refetchInterval: 5_000,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      get("/alerts/history", { query: { limit, since: sinceOf(span), ...(rule ? { rule } : {}) }, signal }),
  });
  const names = [...new Set([...(rules.data?.map((one) => one.name) ?? []), ...(rule ? [rule] : [])])].sort();
  const columns = useColumns();
  return (
    <>
      <Group mb="md" align="flex-end">
        <Range value={span} onChange={(next) => set("span", next)} />
        <Select
          size="xs"
          w={260}
          label={t("rule")}
          placeholder={t("all_rules")}
          clearable
          searchable
          data={names}
          value={rule || null}
          onChange={(next) => set("rule", next ?? "")}
        />
      </Group>
      <Problem error={error} retry={() => void refetch()} />
      <div className="tg-panel">
        <DataTable
          label={t("tab_history")}
          columns={columns}
          rows={data ?? []}
          keyOf={(one) => `${one.at} ${one.alert} ${one.change}`}
          onOpen={(one) => void go(`/alerts/${one.alert}`)}
          empty={t("none_changed")}
        />
        {data && data.length >= limit ? (
          <div className={classes.more}>
            {limit < MOST ? (
              <Button variant="subtle" size="xs" loading={isFetching} onClick={() => setLimit(MOST)}>
                {t("more")}
              </Button>
            ) : (
              <Text size="xs" className="tg-soft">
                {t("only", { n: MOST })}
              </Text>
            )}
          </div>
        ) : null}
      </div>
    </>
  );
}
