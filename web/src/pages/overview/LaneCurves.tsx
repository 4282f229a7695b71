import { Group, Text, Title } from "@mantine/core";
import { useState } from "react";
import type { LiveLane, Quota } from "~/api/contract";
import { charged, HOLE_S, laneKey, type Track, WINDOW_S } from "~/api/live";
import { useFormat } from "~/i18n/format";
import { Curve, type Line } from "~/parts/Curve";
import { Problem } from "~/parts/Problem";
import { Range } from "~/parts/Range";
import classes from "./LaneCurves.module.css";
import { type Series, type Span, useHistory } from "./history";
import { limitOf } from "./standing";
import { useOverviewWords } from "./words";

type Unit = "tokens" | "requests";

type Values = readonly (number | null)[];

/** Limits as they were; before the page was opened, which is `from`, as they were then. */
const held = (values: Values, from: number) =>
  values.map((one, index) => (index < from ? (values[from] ?? null) : one));

/** What a lane used, by the second, and what bounded it then. */
export function liveSeries(track: Track, lane: LiveLane, unit: Unit): Series {
  const of = track.lanes.get(laneKey(lane));
  const times = [...track.at];
  if (!of) return { times, values: times.map(() => null), limits: times.map(() => lane[unit].limit) };
  const [limit, learnt] = [of[`${unit}_limit`], of[`${unit}_learned`]];
  const opened = times.findIndex((_, index) => (limit[index] ?? learnt[index] ?? null) !== null);
  const [limits, learned] = [held(limit, opened), held(learnt, opened)];
  return {
    times,
    values: [...of[unit]],
    limits,
    ...(unit === "tokens" ? { reserved: of.reserved } : {}),
    ...(learned.some((one, index) => one !== null && one !== limits[index]) ? { learned } : {}),
  };
}

function usePicture(lane: LiveLane, unit: Unit, span: Span) {
  const t = useOverviewWords();
  const format = useFormat();
  const quota: Quota = lane[unit];
  const limit = limitOf(quota);
  return {
    title: t(unit),
    describe: t("curve", {
      unit: t(unit),
      lane: `${lane.model}, ${lane.provider}/${lane.scope}`,
      used: format.short(charged(quota)),
      limit: limit === null ? t("none") : format.short(limit),
      span: t(`span_${span}`),
    }),
    lines: ({ values, limits, reserved, learned }: Series): Line[] => [
      { label: t("charged"), values, fill: "--tg-curve-fill", width: 1.8 },
      { label: t("limit"), values: limits, colour: "--tg-limit", dashed: true, stepped: true, width: 1.4 },
      ...(reserved ? [{ label: t("reserved"), values: reserved, colour: "--tg-good", width: 1.2 }] : []),
      ...(learned
        ? [{ label: t("learned"), values: learned, colour: "--tg-warn", dashed: true, stepped: true, width: 1.4 }]
        : []),
    ],
  };
}

function Picture({ lane, unit, span, series }: { lane: LiveLane; unit: Unit; span: Span; series: Series }) {
  const picture = usePicture(lane, unit, span);
  const last = series.times.at(-1);
  return (
    <figure className={classes.figure}>
      <figcaption className={classes.caption}>{picture.title}</figcaption>
      <Curve
        times={series.times}
        lines={picture.lines(series)}
        height={220}
        atLeast={limitOf(lane[unit]) ?? 1}
        describe={picture.describe}
        {...(span === "live" && last ? { from: last - WINDOW_S + 1, to: last, gap: HOLE_S } : {})}
      />
    </figure>
  );
}

interface Shown {
  lane: LiveLane;
  span: Span;
}

function Both({ lane, span, series }: Shown & { series: Partial<Record<Unit, Series>> }) {
  return (["tokens", "requests"] as const).map((unit) => {
    const shown = series[unit];
    return shown ? <Picture key={`${unit} ${span}`} lane={lane} unit={unit} span={span} series={shown} /> : null;
  });
}

function LivePictures({ lane, track }: { lane: LiveLane; track: Track }) {
  const series = { tokens: liveSeries(track, lane, "tokens"), requests: liveSeries(track, lane, "requests") };
  return (
    <div className={classes.both}>
      <Both lane={lane} span="live" series={series} />
    </div>
  );
}

function PastPictures({ lane, span }: Shown) {
  const history = useHistory(lane, span);
  return (
    <>
      <Problem error={history.error} retry={() => void history.refetch()} />
      <div className={classes.both} aria-busy={history.isPending}>
        <Both lane={lane} span={span} series={history.data ?? {}} />
      </div>
    </>
  );
}

/** The curves of one quota against its limits: five minutes as they grow, an hour, or a day. */
export function LaneCurves({ lane, track }: { lane: LiveLane; track: Track }) {
  const t = useOverviewWords();
  const [span, setSpan] = useState<Span>("live");
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="curves">
      <Group justify="space-between" gap="sm">
        <div>
          <Title order={2} id="curves" className={classes.title}>
            {lane.model}
          </Title>
          <Text className={classes.place}>
            {lane.provider} / {lane.scope}
          </Text>
        </div>
        <Range<Span>
          value={span}
          onChange={setSpan}
          choices={(["live", "1h", "24h"] as const).map((one) => ({ value: one, label: t(`span_${one}`) }))}
        />
      </Group>
      {span === "live" ? <LivePictures lane={lane} track={track} /> : <PastPictures lane={lane} span={span} />}
    </section>
  );
}
