import { Text, Title } from "@mantine/core";
import { useFormat } from "~/i18n/format";
import { Facts } from "~/parts/Facts";
import { Level } from "~/parts/Level";
import { Problem } from "~/parts/Problem";
import { type Namespace, useMonth } from "./api";
import classes from "./tenants.module.css";
import { useTenantWords } from "./words";

/** What this month has cost, and what it will have cost at its end. */
export function Month({ of }: { of: Namespace }) {
  const t = useTenantWords();
  const format = useFormat();
  const { data, error, refetch } = useMonth(of.name, of.timezone);
  const money = (value: string) => format.money(value, data?.currency ?? "USD");
  const budget = of.budget.per_month;
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="month">
      <Title order={2} id="month">
        {t("month")} {data ? <span className="tg-soft">{data.month}</span> : null}
      </Title>
      <Problem error={error} retry={() => void refetch()} />
      {data && data.history_hours === 0 ? (
        <>
          <Facts of={[[t("spent"), money(data.spent)]]} />
          <Text size="sm">{t("no_history")}</Text>
        </>
      ) : null}
      {data && data.history_hours > 0 ? (
        <>
          <Facts
            of={[
              [t("spent"), money(data.spent)],
              [t("expected"), <strong key="expected">{money(data.expected)}</strong>],
            ]}
          />
          <Text size="sm" className="tg-soft" mt="xs">
            {t("range_of", { low: money(data.low), high: money(data.high) })}
          </Text>
          {budget && Number(data.expected) > Number(budget) ? (
            <Level grade="warn">{t("over_budget", { budget: money(budget) })}</Level>
          ) : null}
        </>
      ) : null}
    </section>
  );
}
