import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { get } from "~/api/client";
import { useFormat } from "~/i18n/format";
import { minutes, type Series } from "~/pages/overview/history";
import { Curve } from "~/parts/Curve";
import { Problem } from "~/parts/Problem";
import classes from "./accounts.module.css";
import { useAccountWords } from "./words";

export interface Place {
  provider: string;
  scope: string;
  model: string;
}

const DAY_S = 86_400;

/** The last 24 hours of one quota, minute by minute, beside the limits that were in force. */
export function Day({ place }: { place: Place }) {
  const t = useAccountWords();
  const { data, error, refetch, isPending } = useQuery({
    queryKey: ["usage", "day", place],
    refetchInterval: 60_000,
    queryFn: async ({ signal }) => {
      const to = Date.now() / 1000;
      const since = new Date((to - DAY_S) * 1000).toISOString();
      const found = await get("/usage/series", { query: { by: "minute", since, ...place }, signal });
      return minutes(found.points, to - DAY_S, to);
    },
  });
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  return (
    <section className={classes.day} aria-label={t("curve_title", { model: place.model })}>
      {isPending ? <Skeleton height={220} /> : null}
      {data ? <Picture unit={t("tokens")} model={place.model} series={data.tokens} /> : null}
      {data ? <Picture unit={t("requests")} model={place.model} series={data.requests} /> : null}
    </section>
  );
}

function Picture({ unit, model, series }: { unit: string; model: string; series: Series }) {
  const t = useAccountWords();
  const format = useFormat();
  const peak = Math.max(0, ...series.values.map((one) => one ?? 0));
  const limit = series.limits.at(-1) ?? null;
  const told = limit === null ? t("no_limit") : format.short(limit);
  return (
    <figure className={classes.figure}>
      <figcaption className={classes.caption}>{unit}</figcaption>
      <Curve
        times={series.times}
        height={200}
        atLeast={limit ?? 1}
        describe={t("curve", { unit, model, peak: format.short(peak), limit: told })}
        lines={[
          { label: t("charged"), values: series.values, fill: "--tg-curve-fill", width: 1.4 },
          { label: t("limit"), values: series.limits, colour: "--tg-limit", dashed: true, stepped: true, width: 1.4 },
        ]}
      />
    </figure>
  );
}
