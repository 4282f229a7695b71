import { useQuery } from "@tanstack/react-query";
import { get } from "~/api/client";
import { useSession } from "~/api/session";
import { useFormat } from "~/i18n/format";
import { DataTable } from "~/parts/DataTable";
import { Problem } from "~/parts/Problem";
import { useOverviewWords } from "./words";

/** For who owns a namespace and may not see the gate: how much of its bounds is used. */
export function Owner() {
  const t = useOverviewWords();
  const format = useFormat();
  const { namespace } = useSession();
  const { data, error, refetch } = useQuery({
    queryKey: ["use", namespace],
    enabled: Boolean(namespace),
    refetchInterval: 5_000,
    queryFn: ({ signal }) => get("/namespaces/{namespace}/use", { path: { namespace: namespace ?? "" }, signal }),
  });
  const bound = (one: { used: string; limit?: string | null }) => {
    const used = format.number(Number(one.used), 2);
    return one.limit ? t("bound_of", { used, limit: format.number(Number(one.limit), 2) }) : used;
  };
  const minute = (value: number | null | undefined) => (value ? format.short(value) : "∞");
  return (
    <>
      <Problem error={error} retry={() => void refetch()} />
      <div className="tg-panel">
        <DataTable
          label={t("owner")}
          rows={data ?? []}
          keyOf={(one) => `${one.kind} ${one.name}`}
          columns={[
            { key: "name", title: t("owner_name"), cell: (one) => one.name, sort: (one) => one.name, width: "1.5fr" },
            { key: "today", title: t("owner_today"), cell: (one) => bound(one.money_today), right: true },
            { key: "month", title: t("owner_month"), cell: (one) => bound(one.money_month), right: true },
            { key: "tokens", title: t("owner_tokens"), cell: (one) => bound(one.tokens_today), right: true },
            {
              key: "bounds",
              title: t("owner_bounds"),
              cell: (one) => t("bounds", { tpm: minute(one.tpm), rpm: minute(one.rpm) }),
              width: "1.6fr",
            },
          ]}
        />
      </div>
    </>
  );
}
