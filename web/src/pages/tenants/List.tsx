import { Button, Text, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { useFormat } from "~/i18n/format";
import { type Column, DataTable } from "~/parts/DataTable";
import { IconPlus, IconSearch } from "~/parts/icons";
import { Money } from "~/parts/Money";
import { Needs } from "~/parts/Needs";
import { Page } from "~/parts/Page";
import { Problem } from "~/parts/Problem";
import { type Namespace, useNamespaces, useSpentToday } from "./api";
import { Declared } from "./Declared";
import { NewNamespace } from "./NamespaceForm";
import { found, ranked, type Row } from "./rows";
import classes from "./tenants.module.css";
import { useTenantWords } from "./words";

function useColumns(currency: string): Column<Row>[] {
  const t = useTenantWords();
  const format = useFormat();
  const bound = (value: number | null | undefined) => (value ? format.short(value) : "∞");
  const bounds = ({ limits }: Namespace) =>
    limits.rpm || limits.tpm ? t("bounds_of", { rpm: bound(limits.rpm), tpm: bound(limits.tpm) }) : "–";
  return [
    { key: "name", title: t("name"), width: "1.8fr", cell: (one) => one.of.name, sort: (one) => one.of.name },
    { key: "tier", title: t("tier"), width: "8rem", cell: (one) => one.of.tier, sort: (one) => one.of.tier },
    {
      key: "spent",
      title: t("spent_today"),
      width: "9rem",
      right: true,
      cell: (one) => (one.calls ? <Money amount={one.spent} currency={currency} /> : "–"),
      sort: (one) => Number(one.spent),
    },
    {
      key: "calls",
      title: t("calls_today"),
      width: "8rem",
      right: true,
      cell: (one) => format.number(one.calls),
      sort: (one) => one.calls,
    },
    { key: "bounds", title: t("bounds"), width: "1.4fr", cell: (one) => bounds(one.of) },
    {
      key: "budget",
      title: t("budget"),
      width: "9rem",
      right: true,
      cell: (one) => {
        const amount = one.of.budget.per_month;
        return amount ? <Money amount={amount} currency={currency} /> : "–";
      },
      sort: (one) => Number(one.of.budget.per_month ?? 0),
    },
    {
      key: "declared",
      title: t("declared"),
      width: "8rem",
      cell: (one) => <Declared by={one.of.declared} />,
      sort: (one) => one.of.declared,
    },
  ];
}

/** All namespaces, who spent most today first. */
export function List() {
  const t = useTenantWords();
  const navigate = useNavigate();
  const [params, setParams] = useSearchParams();
  const [making, setMaking] = useState(false);
  const words = params.get("q") ?? "";
  const namespaces = useNamespaces();
  const today = useSpentToday();
  const columns = useColumns(today.data?.currency ?? "USD");
  const rows = useMemo(() => ranked(namespaces.data ?? [], today.data?.lines ?? []), [namespaces.data, today.data]);
  const shown = useMemo(() => found(rows, words), [rows, words]);
  const open = (name: string) => void navigate(`/tenants/${encodeURIComponent(name)}`);
  return (
    <Page
      title={t("title")}
      lead={t("lead")}
      actions={
        <Needs right="change_namespaces">
          <Button leftSection={<IconPlus aria-hidden size={16} />} onClick={() => setMaking(true)}>
            {t("new_namespace")}
          </Button>
        </Needs>
      }
    >
      <Problem error={namespaces.error} retry={() => void namespaces.refetch()} />
      {today.error ? <Text size="sm">{t("no_spend")}</Text> : null}
      <div className={classes.bar}>
        <TextInput
          className={classes.search}
          aria-label={t("search")}
          placeholder={t("search")}
          leftSection={<IconSearch aria-hidden size={16} />}
          value={words}
          onChange={(event) => setParams(event.target.value ? { q: event.target.value } : {}, { replace: true })}
        />
        <Text size="sm" className="tg-soft" role="status">
          {t("shown", { n: shown.length })}
        </Text>
      </div>
      <div className="tg-panel" aria-busy={namespaces.isPending}>
        <DataTable
          label={t("list")}
          columns={columns}
          rows={shown}
          keyOf={(one) => one.of.name}
          onOpen={(one) => open(one.of.name)}
          height={620}
          empty={namespaces.isPending ? " " : t("no_match")}
        />
      </div>
      {making ? (
        <NewNamespace
          tiers={[...new Set((namespaces.data ?? []).map((one) => one.tier))]}
          onClose={() => setMaking(false)}
          onMade={open}
        />
      ) : null}
    </Page>
  );
}
