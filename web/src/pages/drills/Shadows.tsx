import { Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { get } from "~/api/client";
import { type Format, useFormat } from "~/i18n/format";
import { type Column, DataTable } from "~/parts/DataTable";
import { Problem } from "~/parts/Problem";
import { Range } from "~/parts/Range";
import classes from "./drills.module.css";
import { Nothing } from "./Nothing";
import { type Shadow, timesOf } from "./proofs";
import { SHADOW } from "./snippets";
import { useCurrency } from "./useCurrency";
import { type DrillWords, useDrillWords } from "./words";

const DAYS = ["7", "30", "90", "400"] as const;
type Days = (typeof DAYS)[number];

/** What candidates answered beside strategies, by day. */
export function Shadows() {
  const t = useDrillWords();
  const [params, setParams] = useSearchParams();
  const days: Days = DAYS.find((one) => one === params.get("days")) ?? "30";
  const { data, error, refetch } = useQuery({
    queryKey: ["shadows", days],
    refetchInterval: 10_000,
    queryFn: ({ signal }) => get("/shadows", { query: { days: Number(days) }, signal }),
  });
  const columns = useColumns();
  return (
    <div className={classes.stack}>
      <Group justify="space-between">
        <Range<Days>
          value={days}
          choices={DAYS.map((value) => ({ value, label: t("days", { n: Number(value) }) }))}
          onChange={(next) => setParams({ days: next }, { replace: true })}
        />
        <Text size="xs" className="tg-soft">
          {t("shadows_mean")}
        </Text>
      </Group>
      <Problem error={error} retry={() => void refetch()} />
      {data?.length === 0 ? <Nothing title={t("no_shadow")} remedy={t("no_shadow_remedy")} snippet={SHADOW} /> : null}
      {data?.length ? (
        <div className="tg-panel">
          <DataTable
            label={t("tab_shadows")}
            columns={columns}
            rows={data}
            rowHeight={56}
            keyOf={(one) => `${one.day} ${one.strategy} ${one.candidate}`}
          />
        </div>
      ) : null}
    </div>
  );
}

/** The candidate's figure above the primary's, and how they compare. */
function Pair({ ours, theirs, times }: { ours: string; theirs: string; times: string | undefined }) {
  const t = useDrillWords();
  return (
    <>
      <div>
        {ours} {times ? <span className="tg-soft">×{times}</span> : null}
      </div>
      <div className={classes.beside}>{t("primary_has", { value: theirs })}</div>
    </>
  );
}

/** How the sample fared: what could not be asked or failed is said, the rest is not. */
function troubles(t: DrillWords, one: Shadow): string {
  const failed = one.failed ? [t("n_failed", { n: one.failed })] : [];
  const unasked = one.unasked ? [t("n_unasked", { n: one.unasked })] : [];
  return [...failed, ...unasked].join(", ");
}

function useColumns(): Column<Shadow>[] {
  const t = useDrillWords();
  const format: Format = useFormat();
  const currency = useCurrency();
  const money = (amount: string) => (currency ? format.money(amount, currency) : amount);
  const times = (ours: number, theirs: number) => {
    const found = timesOf(ours, theirs);
    return found === undefined ? undefined : format.number(found, 2);
  };
  return [
    { key: "day", title: t("day_utc"), width: "7rem", cell: (one) => one.day, sort: (one) => one.day },
    {
      key: "strategy",
      title: t("strategy_candidate"),
      width: "1.3fr",
      cell: (one) => `${one.strategy} → ${one.candidate}`,
      sort: (one) => one.strategy,
    },
    {
      key: "calls",
      title: t("answered"),
      width: "8rem",
      cell: (one) => (
        <>
          <div>{t("n_of", { n: one.answered, all: one.calls })}</div>
          <div className={classes.beside}>{troubles(t, one)}</div>
        </>
      ),
      sort: (one) => one.calls,
    },
    {
      key: "agreed",
      title: t("agreed"),
      width: "7rem",
      cell: (one) =>
        one.answered ? `${format.percent(one.agreed / one.answered)} (${format.number(one.agreed)})` : "–",
      sort: (one) => one.agreed / (one.answered || 1),
    },
    {
      key: "similarity",
      title: t("similarity"),
      width: "6rem",
      right: true,
      cell: (one) => (one.answered ? format.percent(one.similarity) : "–"),
      sort: (one) => one.similarity,
    },
    {
      key: "time",
      title: t("time"),
      cell: (one) => (
        <Pair
          ours={format.milliseconds(one.candidate_ms)}
          theirs={format.milliseconds(one.primary_ms)}
          times={times(one.candidate_ms, one.primary_ms)}
        />
      ),
      sort: (one) => one.candidate_ms,
    },
    {
      key: "cost",
      title: t("cost"),
      cell: (one) => (
        <Pair
          ours={money(one.candidate_cost)}
          theirs={money(one.primary_cost)}
          times={times(Number(one.candidate_cost), Number(one.primary_cost))}
        />
      ),
      sort: (one) => Number(one.candidate_cost),
    },
    {
      key: "chars",
      title: t("chars"),
      cell: (one) => (
        <Pair
          ours={format.number(one.candidate_chars)}
          theirs={format.number(one.primary_chars)}
          times={times(one.candidate_chars, one.primary_chars)}
        />
      ),
      sort: (one) => one.candidate_chars,
    },
  ];
}
