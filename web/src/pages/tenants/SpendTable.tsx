import { Button, Group, SegmentedControl, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ask, get } from "~/api/client";
import { useFormat } from "~/i18n/format";
import { type Column, DataTable } from "~/parts/DataTable";
import { IconDownload } from "~/parts/icons";
import { Money } from "~/parts/Money";
import { Problem } from "~/parts/Problem";
import { sinceOf } from "~/parts/Range";
import type { Line, Namespace } from "./api";
import type { Period } from "./Spend";
import classes from "./tenants.module.css";
import { useTenantWords } from "./words";

const GROUPS = ["model", "user", "key", "tag"] as const;
type Group = (typeof GROUPS)[number];

interface Props {
  of: Namespace;
  period: Period;
  by: string;
  onBy: (by: Group) => void;
}

/** Gives a text to the browser as a file. */
function save(text: string, name: string) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

function useColumns(by: Group, currency: string): Column<Line>[] {
  const t = useTenantWords();
  const format = useFormat();
  const count = (key: string, title: string, value: (line: Line) => number): Column<Line> => ({
    key,
    title,
    width: "8rem",
    right: true,
    cell: (line) => format.number(value(line)),
    sort: value,
  });
  return [
    {
      key: by,
      title: t(`by_${by}_of`),
      width: "2fr",
      cell: (line) => <span title={line[by] ?? ""}>{line[by] || t("nobody")}</span>,
      sort: (line) => line[by] ?? "",
    },
    {
      key: "cost",
      title: t("cost"),
      width: "8rem",
      right: true,
      cell: (line) => <Money amount={line.cost} currency={currency} />,
      sort: (line) => Number(line.cost),
    },
    count("calls", t("calls"), (line) => line.calls),
    count("errors", t("errors"), (line) => line.errors),
    count("prompt", t("prompt"), (line) => line.prompt_tokens),
    count("completion", t("completion"), (line) => line.completion_tokens),
    count("hits", t("hits"), (line) => line.cache_hits ?? 0),
    {
      key: "saved",
      title: t("saved"),
      width: "8rem",
      right: true,
      cell: (line) => (line.saved ? <Money amount={line.saved} currency={currency} /> : "–"),
      sort: (line) => Number(line.saved ?? 0),
    },
  ];
}

/** What was spent, by model, user, key or tag; all of it as CSV. */
export function SpendTable({ of, period, by: wanted, onBy }: Props) {
  const t = useTenantWords();
  const by = GROUPS.find((one) => one === wanted) ?? "model";
  const [refused, setRefused] = useState<unknown>();
  const asked = () => ({ by: [by] as [Group], since: sinceOf(period), zone: of.timezone, namespace: of.name });
  const { data, error, refetch, isPending } = useQuery({
    queryKey: ["tenants", of.name, "spend", period, by],
    refetchInterval: 15_000,
    queryFn: ({ signal }) => get("/spend", { query: asked(), signal }),
  });
  const columns = useColumns(by, data?.currency ?? "USD");
  const lines = [...(data?.lines ?? [])].sort((a, b) => Number(b.cost) - Number(a.cost));
  const download = async () => {
    setRefused(undefined);
    try {
      const query = { ...asked(), output: "csv" };
      const answer = await ask("get", "/spend", { query, headers: { accept: "text/csv" } });
      save(await answer.text(), `spend-${of.name}-${by}-${period}.csv`);
    } catch (problem) {
      setRefused(problem);
    }
  };
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="spend">
      <Group justify="space-between" mb="xs">
        <Group gap="sm">
          <Title order={2} id="spend" className={classes.unspaced}>
            {t("grouped")}
          </Title>
          <SegmentedControl
            aria-label={t("grouped")}
            size="xs"
            value={by}
            data={GROUPS.map((value) => ({ value, label: t(`by_${value}_of`) }))}
            onChange={(value) => onBy(value)}
          />
        </Group>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconDownload aria-hidden size={14} />}
          onClick={() => void download()}
        >
          {t("csv")}
        </Button>
      </Group>
      <Problem error={error ?? refused} retry={() => void refetch()} />
      <DataTable
        label={t("spend_list", { by: t(`by_${by}_of`) })}
        columns={columns}
        rows={lines}
        keyOf={(line) => line[by] ?? ""}
        height={420}
        empty={isPending ? " " : t("nothing_spent")}
      />
      {by === "tag" ? (
        <Text size="xs" className="tg-soft" mt="xs">
          {t("tags_twice")}
        </Text>
      ) : null}
    </section>
  );
}
