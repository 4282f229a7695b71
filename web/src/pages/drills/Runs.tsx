import { Accordion, Anchor, Button, Group, Text } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearchParams } from "react-router";
import { get } from "~/api/client";
import { useFormat } from "~/i18n/format";
import { useTold } from "~/i18n/told";
import { Level } from "~/parts/Level";
import { Moment } from "~/parts/Moment";
import { Money } from "~/parts/Money";
import { Page } from "~/parts/Page";
import { Problem } from "~/parts/Problem";
import { Answers } from "./Answers";
import classes from "./drills.module.css";
import type { Run } from "./proofs";
import { RunNow } from "./RunNow";
import { useCurrency } from "./useCurrency";
import { useDrillWords, wordOf } from "./words";

const PAGE = 50;

/** What a drill's runs found, the newest first. */
export function Runs() {
  const t = useDrillWords();
  const { drill = "" } = useParams();
  const [params] = useSearchParams();
  const wanted = Object.fromEntries(
    ["strategy", "target"].flatMap((name) => {
      const value = params.get(name);
      return value ? [[name, value]] : [];
    }),
  );
  const all = useQuery({
    queryKey: ["drills", "all"],
    refetchInterval: 2_000,
    queryFn: ({ signal }) => get("/drills", { signal }),
  });
  const known = all.data?.drills.find((one) => one.name === drill);
  return (
    <Page
      title={t("runs_of", { drill })}
      lead={
        <Group gap="md">
          <Anchor component={Link} to="/drills" size="sm">
            {t("back")}
          </Anchor>
          {Object.keys(wanted).length ? (
            <Text size="sm">
              {Object.values(wanted).join(" → ")}{" "}
              <Anchor component={Link} to={`/drills/runs/${encodeURIComponent(drill)}`} size="sm">
                {t("all_runs")}
              </Anchor>
            </Text>
          ) : null}
          {known?.running ? <Text size="sm">{t("running")}</Text> : null}
        </Group>
      }
      actions={known ? <RunNow drill={known} /> : null}
    >
      <List drill={drill} wanted={wanted} />
    </Page>
  );
}

function List({ drill, wanted }: { drill: string; wanted: { strategy?: string; target?: string } }) {
  const t = useDrillWords();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ["drills", "runs", drill, wanted],
    initialPageParam: 0,
    refetchInterval: 5_000,
    queryFn: ({ signal, pageParam }) =>
      get("/drills/{drill}/runs", { path: { drill }, query: { ...wanted, limit: PAGE, before: pageParam }, signal }),
    getNextPageParam: (last) => (last.next ? Number(last.next) : undefined),
  });
  const runs = data?.pages.flatMap((page) => page.runs) ?? [];
  return (
    <>
      <Problem error={error} retry={() => void refetch()} />
      {data && runs.length === 0 ? <Text className={`tg-panel ${classes.none}`}>{t("no_run")}</Text> : null}
      <Accordion multiple variant="separated" aria-label={t("runs")}>
        {runs.map((one) => (
          <Accordion.Item key={one.id} value={one.id} className={classes.run}>
            <Accordion.Control>
              <Head run={one} />
            </Accordion.Control>
            <Accordion.Panel>
              <Answers of={one.answers} asked={one.asked} />
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
      {hasNextPage ? (
        <Button variant="subtle" size="xs" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t("more")}
        </Button>
      ) : null}
    </>
  );
}

function Head({ run }: { run: Run }) {
  const t = useDrillWords();
  const told = useTold();
  const format = useFormat();
  const currency = useCurrency();
  const grade = run.state === "passed" ? "good" : run.state === "failed" ? "crit" : "warn";
  return (
    <div className={classes.runHead}>
      <Level grade={grade}>{wordOf(t, "state", run.state)}</Level>
      <strong>
        {run.strategy} → {run.target}
      </strong>
      <span>{t("of_100", { score: format.number(run.score, 1) })}</span>
      <span className="tg-soft">{run.at ? <Moment at={run.at} ago /> : "–"}</span>
      <span className="tg-soft">
        {wordOf(t, "cause", run.cause)} · {t("n_asked", { n: run.asked })} · {t("n_tokens", { n: run.tokens })}
        {currency ? (
          <>
            {" · "}
            <Money amount={run.cost} currency={currency} />
          </>
        ) : null}
      </span>
      {run.why ? <span className={classes.whole}>{told(run.why)}</span> : null}
    </div>
  );
}
