import { Button, Group } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearchParams } from "react-router";
import { get } from "~/api/client";
import { DataTable } from "~/parts/DataTable";
import { IconRefresh } from "~/parts/icons";
import { Problem } from "~/parts/Problem";
import classes from "../calls.module.css";
import { useCallWords } from "../words";
import { useCallColumns } from "./columns";
import { boundsOf, filtersOf } from "./wanted";

const PAGE = 200;

/** Calls that are looked for, page by page: only rows in view are drawn, so that a million can be leafed through. */
export function Found() {
  const t = useCallWords();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [params] = useSearchParams();
  const columns = useCallColumns();
  const filters = filtersOf(params);
  const when = ["period", "since", "until"].map((name) => params.get(name) ?? "");
  const queryKey = ["calls", "found", filters, when];
  const { data, error, refetch, isFetching, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey,
    initialPageParam: { before: "", bounds: undefined as ReturnType<typeof boundsOf> | undefined },
    staleTime: Infinity,
    queryFn: async ({ signal, pageParam }) => {
      const bounds = pageParam.bounds ?? boundsOf(params);
      const { before } = pageParam;
      const query = { ...filters, ...bounds, limit: PAGE, ...(before ? { before } : {}) };
      return { ...(await get("/calls", { query, signal })), bounds };
    },
    getNextPageParam: (last) => (last.next ? { before: last.next, bounds: last.bounds } : undefined),
  });
  const rows = data?.pages.flatMap((page) => page.calls) ?? [];
  return (
    <>
      <Problem error={error} retry={() => void refetch()} />
      <section className="tg-panel" aria-label={t("found")} aria-busy={isFetching}>
        <Group justify="space-between" p="xs" gap="xs">
          <span className="tg-soft" role="status">
            {isFetching && !isFetchingNextPage
              ? t("looking")
              : t(hasNextPage ? "shown_so_far" : "shown", { n: rows.length })}
          </span>
          <Button
            size="xs"
            variant="default"
            loading={isFetching && !isFetchingNextPage}
            leftSection={<IconRefresh aria-hidden size={15} />}
            onClick={() => void queries.resetQueries({ queryKey })}
          >
            {t("again")}
          </Button>
        </Group>
        <DataTable
          label={t("found_list")}
          columns={columns}
          rows={rows}
          keyOf={(one) => one.id}
          onOpen={(one) => void navigate(`/calls/${one.id}`)}
          empty={t(isFetching ? "looking" : "no_match")}
          height={620}
        />
        {hasNextPage ? (
          <div className={classes.more}>
            <Button variant="subtle" size="xs" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              {t("more", { n: PAGE })}
            </Button>
          </div>
        ) : null}
      </section>
    </>
  );
}
