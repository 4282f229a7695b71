import { useFormat } from "~/i18n/format";
import type { Column } from "~/parts/DataTable";
import { type Namespace, type Use, useMonth } from "./api";
import { useMinuteBounds } from "./Bounds";
import { useTenantWords } from "./words";

/** What users or keys have used of their own bounds, as columns. */
export function useUseColumns<T extends { name: string }>(
  kind: "user" | "key",
  of: Namespace,
  use: readonly Use[],
): Column<T>[] {
  const t = useTenantWords();
  const format = useFormat();
  const bounds = useMinuteBounds();
  const { data: month } = useMonth(of.name, of.timezone);
  const known = new Map(use.filter((one) => one.kind === kind).map((one) => [one.name, one]));
  const money = (value: string) => format.money(value, month?.currency ?? "USD");
  const told = (bound: Use["money_today"] | undefined) => {
    if (!bound) return "–";
    return bound.limit ? t("used_of", { used: money(bound.used), limit: money(bound.limit) }) : money(bound.used);
  };
  return [
    {
      key: "today",
      title: t("money_today"),
      width: "8.5rem",
      right: true,
      cell: (one) => told(known.get(one.name)?.money_today),
      sort: (one) => Number(known.get(one.name)?.money_today.used ?? 0),
    },
    {
      key: "month",
      title: t("money_month"),
      width: "9.5rem",
      right: true,
      cell: (one) => told(known.get(one.name)?.money_month),
      sort: (one) => Number(known.get(one.name)?.money_month.used ?? 0),
    },
    {
      key: "bounds",
      title: t("bounds"),
      width: "1.2fr",
      cell: (one) => {
        const found = known.get(one.name);
        return found ? bounds(found) : "–";
      },
    },
  ];
}
