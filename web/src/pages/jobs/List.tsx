import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearchParams } from "react-router";
import { get } from "~/api/client";
import { useFormat } from "~/i18n/format";
import { useTold } from "~/i18n/told";
import { type Column, DataTable } from "~/parts/DataTable";
import { Moment } from "~/parts/Moment";
import { Problem } from "~/parts/Problem";
import { BeginAnew } from "./BeginAnew";
import { wantedOf } from "./Filters";
import classes from "./jobs.module.css";
import { type Job, StateBadge } from "./StateBadge";
import { useJobWords } from "./words";

const PAGE = 200;

function useColumns(): Column<Job>[] {
  const t = useJobWords();
  const told = useTold();
  const format = useFormat();
  return [
    { key: "job", title: t("job"), width: "1.6fr", cell: (one) => <span className={classes.mono}>{one.id}</span> },
    { key: "state", title: t("state"), width: "7rem", cell: (one) => <StateBadge state={one.state} /> },
    { key: "namespace", title: t("namespace"), cell: (one) => one.namespace || "–", sort: (one) => one.namespace },
    { key: "model", title: t("model"), cell: (one) => one.model, sort: (one) => one.model },
    { key: "attempts", title: t("attempts"), width: "6rem", right: true, cell: (one) => one.attempts },
    {
      key: "reason",
      title: t("reason"),
      width: "1.6fr",
      cell: (one) => <span title={told(one.reason)}>{told(one.reason) || "–"}</span>,
    },
    {
      key: "tokens",
      title: t("tokens"),
      width: "6rem",
      right: true,
      cell: (one) => format.short(one.prompt_tokens + one.completion_tokens),
    },
    { key: "created", title: t("created"), width: "9rem", cell: (one) => <Moment at={one.created ?? ""} ago /> },
    {
      key: "finished",
      title: t("finished"),
      width: "9rem",
      cell: (one) => (one.finished ? <Moment at={one.finished} ago /> : "–"),
    },
  ];
}

/** Jobs, page by page. */
export function List() {
  const t = useJobWords();
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const wanted = wantedOf(params);
  const columns = useColumns();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ["jobs", "list", wanted],
    initialPageParam: "",
    refetchInterval: 5_000,
    queryFn: ({ signal, pageParam }) =>
      get("/jobs", { query: { ...wanted, limit: PAGE, ...(pageParam ? { before: pageParam } : {}) }, signal }),
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const rows = data?.pages.flatMap((page) => page.jobs) ?? [];
  return (
    <>
      <Problem error={error} retry={() => void refetch()} />
      <div className="tg-panel">
        <div className={classes.deeds}>
          <BeginAnew jobs={rows} />
        </div>
        <DataTable
          label={t("list")}
          columns={columns}
          rows={rows}
          keyOf={(one) => one.id}
          onOpen={(one) => void navigate(`/jobs/${one.id}`)}
          empty={t("no_match")}
        />
        {hasNextPage ? (
          <div className={classes.more}>
            <Button variant="subtle" size="xs" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              {t("more")}
            </Button>
          </div>
        ) : null}
      </div>
    </>
  );
}
