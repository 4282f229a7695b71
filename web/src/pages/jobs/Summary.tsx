import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Text, Title } from "@mantine/core";
import { type Answer, get } from "~/api/client";
import { useFormat } from "~/i18n/format";
import { Moment } from "~/parts/Moment";
import classes from "./jobs.module.css";
import { paceOf, type Sample, withSample } from "./pace";
import { StateBadge } from "./StateBadge";
import { useJobWords } from "./words";

type Depth = Answer<"/jobs/summary">["open"][number];

interface Queue {
  name: string;
  waiting: number;
  running: number;
  oldest: string | undefined;
}

/** What waits and runs, by queue. */
export function queuesOf(open: readonly Depth[]): Queue[] {
  const found = new Map<string, Queue>();
  for (const one of open) {
    const queue = found.get(one.backend) ?? { name: one.backend, waiting: 0, running: 0, oldest: undefined };
    if (one.state === "running") queue.running += one.jobs;
    else {
      queue.waiting += one.jobs;
      queue.oldest = one.oldest ?? queue.oldest;
    }
    found.set(one.backend, queue);
  }
  return [...found.values()].sort((a, b) => b.waiting - a.waiting || a.name.localeCompare(b.name));
}

type Told = Answer<"/jobs/summary">;
interface Seen extends Told {
  samples: Sample[];
}

const QUERY = ["jobs", "summary"];
const sum = (of: readonly Depth[]) => of.reduce((jobs, one) => jobs + one.jobs, 0);

/** Whether there are jobs at all, and what they do; asked again and again while somebody looks. */
export function useSummary() {
  const queries = useQueryClient();
  return useQuery({
    queryKey: QUERY,
    refetchInterval: 2_000,
    queryFn: async ({ signal }): Promise<Seen> => {
      const told = await get("/jobs/summary", { signal });
      const now = { at: Date.now(), left: sum(told.open), ended: sum(told.ended) };
      return { ...told, samples: withSample(queries.getQueryData<Seen>(QUERY)?.samples ?? [], now) };
    },
  });
}

/** How fast it goes, and when nothing will be left. */
function Pace({ samples }: { samples: readonly Sample[] }) {
  const t = useJobWords();
  const format = useFormat();
  const pace = paceOf(samples);
  if (!pace) return null;
  const n = format.number(pace.perMinute, 1);
  const { seconds } = pace;
  const left = seconds === undefined ? undefined : t("pace_left", { n, time: format.milliseconds(seconds * 1_000) });
  return (
    <Text size="xs" className="tg-soft" mt="xs">
      {left ?? t(pace.perMinute > 0 ? "pace" : "pace_none", { n })}
    </Text>
  );
}

/** Each queue's depth, and how many have ended how. */
export function Summary() {
  const t = useJobWords();
  const format = useFormat();
  const { data } = useSummary();
  if (!data) return null;
  const queues = queuesOf(data.open);
  return (
    <div className={classes.cards}>
      {queues.length === 0 ? <Text className={`tg-panel ${classes.card} tg-soft`}>{t("empty_queue")}</Text> : null}
      {queues.map((one) => (
        <section key={one.name} className={`tg-panel ${classes.card}`} aria-label={`${t("queue")} ${one.name}`}>
          <Text className={classes.name} title={one.name}>
            {one.name}
          </Text>
          <div className={classes.figures}>
            <Figure word={t("waiting")} value={format.number(one.waiting)} />
            <Figure word={t("running")} value={format.number(one.running)} />
          </div>
          {one.oldest ? (
            <Text size="xs" className="tg-soft">
              {t("oldest")} <Moment at={one.oldest} ago />
            </Text>
          ) : null}
        </section>
      ))}
      <section className={`tg-panel ${classes.card}`} aria-labelledby="ended">
        <Title order={2} id="ended" className={classes.name}>
          {t("ended")}
        </Title>
        <div className={classes.ended}>
          {data.ended.map((one) => (
            <span key={`${one.backend} ${one.state}`}>
              <StateBadge state={one.state} /> {format.number(one.jobs)}
            </span>
          ))}
        </div>
        <Pace samples={data.samples} />
      </section>
    </div>
  );
}

function Figure({ word, value }: { word: string; value: string }) {
  return (
    <div>
      <div className={classes.value}>{value}</div>
      <div className={classes.word}>{word}</div>
    </div>
  );
}
