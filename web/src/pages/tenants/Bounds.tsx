import { Table, Text, Title } from "@mantine/core";
import { useFormat } from "~/i18n/format";
import { Facts } from "~/parts/Facts";
import { Moment } from "~/parts/Moment";
import { Problem } from "~/parts/Problem";
import { type Namespace, type Use, useMonth, useUse } from "./api";
import { Bar } from "./Bar";
import { Declared } from "./Declared";
import { Month } from "./Month";
import classes from "./tenants.module.css";
import { useTenantWords } from "./words";

/** What a namespace may, and what it has used of it. */
export function Bounds({ of }: { of: Namespace }) {
  const t = useTenantWords();
  const { data, error, refetch } = useUse(of.name);
  const own = data?.find((one) => one.kind === "namespace");
  return (
    <>
      <Problem error={error} retry={() => void refetch()} />
      <div className={classes.beside}>
        <section className={`tg-panel ${classes.panel}`} aria-labelledby="use">
          <Title order={2} id="use">
            {t("use")}
          </Title>
          {own ? <Used of={of} use={own} /> : null}
          <Text size="xs" className="tg-soft">
            {t("day_zone", { zone: of.timezone })}
          </Text>
        </section>
        <Month of={of} />
      </div>
      <Settings of={of} />
      <ByModel of={of} />
    </>
  );
}

function Used({ of, use }: { of: Namespace; use: Use }) {
  const t = useTenantWords();
  const format = useFormat();
  const { data: month } = useMonth(of.name, of.timezone);
  const money = (value: string) => format.money(value, month?.currency ?? "USD");
  return (
    <div className={classes.bars}>
      <Bar word={t("money_today")} bound={use.money_today} say={money} />
      <Bar word={t("money_month")} bound={use.money_month} say={money} />
      <Bar word={t("tokens_today")} bound={use.tokens_today} say={(value) => format.short(Number(value))} />
      <div className={classes.minute}>
        <span className="tg-soft">{t("minute_bounds")}</span> {useMinuteBounds()(use)}
      </div>
    </div>
  );
}

/** Bounds a minute, in words. */
export function useMinuteBounds() {
  const t = useTenantWords();
  const format = useFormat();
  const bound = (value: number | null | undefined) => (value ? format.short(value) : "∞");
  return ({ rpm, tpm, concurrent }: Pick<Use, "rpm" | "tpm" | "concurrent">) => {
    const found = [
      rpm || tpm ? t("bounds_of", { rpm: bound(rpm), tpm: bound(tpm) }) : "",
      concurrent ? t("concurrent_of", { n: concurrent }) : "",
    ].filter(Boolean);
    return found.join(", ") || t("unbounded");
  };
}

function Settings({ of }: { of: Namespace }) {
  const t = useTenantWords();
  const { bodies } = of;
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="facts">
      <Title order={2} id="facts">
        {t("facts")}
      </Title>
      <Facts
        of={[
          [t("declared"), <Declared key="declared" by={of.declared} />],
          [t("tier"), of.tier],
          [t("f_weight"), of.weight],
          [t("models"), of.models.join(", ") || t("all_models")],
          [t("f_timezone"), of.timezone],
          [t("f_on_revoked"), t(of.on_revoked === "cut" ? "v_cut" : "v_finish")],
          [t("f_stored_objects"), of.stored_objects ? "✓" : "–"],
          [t("g_bodies"), bodies ? JSON.stringify(bodies) : t("v_default")],
          [t("created"), of.created ? <Moment at={of.created} /> : undefined],
          [t("changed"), of.changed ? <Moment at={of.changed} ago /> : undefined],
        ]}
      />
    </section>
  );
}

function ByModel({ of }: { of: Namespace }) {
  const t = useTenantWords();
  const format = useFormat();
  const models = Object.entries(of.by_model);
  if (models.length === 0) return null;
  const number = (value: number | null | undefined) => (value ? format.number(value) : "–");
  const heads = [t("models"), t("f_rpm"), t("f_tpm"), t("f_concurrent"), t("f_tokens_per_day"), t("f_per_day")];
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="by-model">
      <Title order={2} id="by-model">
        {t("by_model")}
      </Title>
      <Table fz="sm">
        <Table.Thead>
          <Table.Tr>
            {[...heads, t("f_per_month")].map((title) => (
              <Table.Th key={title}>{title}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {models.map(([model, { limits, budget }]) => (
            <Table.Tr key={model}>
              <Table.Td>{model}</Table.Td>
              <Table.Td>{number(limits.rpm)}</Table.Td>
              <Table.Td>{number(limits.tpm)}</Table.Td>
              <Table.Td>{number(limits.concurrent)}</Table.Td>
              <Table.Td>{number(limits.tokens_per_day)}</Table.Td>
              <Table.Td>{budget.per_day ?? "–"}</Table.Td>
              <Table.Td>{budget.per_month ?? "–"}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
