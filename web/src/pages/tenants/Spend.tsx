import { Group, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { get } from "~/api/client";
import { useFormat } from "~/i18n/format";
import { Curve } from "~/parts/Curve";
import { Problem } from "~/parts/Problem";
import { Range, sinceOf } from "~/parts/Range";
import type { Namespace } from "./api";
import { Month } from "./Month";
import { costsOf } from "./series";
import { SpendTable } from "./SpendTable";
import classes from "./tenants.module.css";
import { useTenantWords } from "./words";

export type Period = "24h" | "7d" | "30d";
const PERIODS = ["24h", "7d", "30d"] as const;

/** What a namespace cost, over time and by who and what. */
export function Spend({ of }: { of: Namespace }) {
  const [params, setParams] = useSearchParams();
  const period = PERIODS.find((one) => one === params.get("span")) ?? "24h";
  const set = (name: string, value: string) =>
    setParams(
      (now) => {
        const next = new URLSearchParams(now);
        next.set(name, value);
        return next;
      },
      { replace: true },
    );
  return (
    <>
      <Costs of={of} period={period} onPeriod={(value) => set("span", value)} />
      <SpendTable of={of} period={period} by={params.get("by") ?? "model"} onBy={(value) => set("by", value)} />
      <Month of={of} />
    </>
  );
}

interface CostsProps {
  of: Namespace;
  period: Period;
  onPeriod: (period: Period) => void;
}

function Costs({ of, period, onPeriod }: CostsProps) {
  const t = useTenantWords();
  const format = useFormat();
  const unit = period === "30d" ? "day" : "hour";
  const { data, error, refetch } = useQuery({
    queryKey: ["tenants", of.name, "costs", period],
    refetchInterval: 15_000,
    queryFn: async ({ signal }) => {
      const until = new Date();
      const since = sinceOf(period, until);
      const query = { by: [unit] as ["day" | "hour"], since, zone: of.timezone, namespace: of.name };
      const found = await get("/spend", { query, signal });
      return { ...costsOf(found.lines, unit, new Date(since), until, of.timezone), found };
    },
  });
  const currency = data?.found.currency ?? "USD";
  const sum = data ? format.money(data.found.total.cost, currency) : "";
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="costs">
      <Group justify="space-between" mb="xs">
        <Title order={2} id="costs">
          {t("curve")} {sum ? <span className="tg-soft">{sum}</span> : null}
        </Title>
        <Range<Period>
          value={period}
          onChange={onPeriod}
          choices={PERIODS.map((value) => ({ value, label: format.milliseconds(DAYS[value] * 86_400_000) }))}
        />
      </Group>
      <Problem error={error} retry={() => void refetch()} />
      <div className={classes.curve}>
        {data ? (
          <Curve
            key={unit}
            times={data.times}
            height={220}
            atLeast={0.01}
            describe={t("curve_of", { name: of.name, unit: t(unit), sum })}
            format={(value) => format.money(value, currency)}
            lines={[{ label: t("cost"), values: data.values, fill: "--tg-curve-fill", stepped: true, width: 1.6 }]}
          />
        ) : null}
      </div>
    </section>
  );
}

const DAYS: Readonly<Record<Period, number>> = { "24h": 1, "7d": 7, "30d": 30 };
