import type { ReactNode } from "react";
import type { LiveState } from "~/api/contract";
import { HOLE_S, type Total, type Track } from "~/api/live";
import { useFormat } from "~/i18n/format";
import { Curve } from "~/parts/Curve";
import { type Grade, gradeOf, Level } from "~/parts/Level";
import { Money } from "~/parts/Money";
import classes from "./Figures.module.css";
import { ERROR_PERMILLE, fullness, longestWait, UTILISATION, WAIT_MS, waiting } from "./standing";
import { useOverviewWords } from "./words";

interface FigureProps {
  label: string;
  value: ReactNode;
  note: ReactNode;
  /** Where the figure has thresholds. */
  grade?: Grade;
  curve?: ReactNode;
}

function Figure({ label, value, note, grade, curve }: FigureProps) {
  return (
    <div className={`tg-panel ${classes.figure}`} data-grade={grade}>
      <dt className={classes.label}>{label}</dt>
      <dd className={classes.value}>
        {value}
        {grade && grade !== "good" ? <Level grade={grade} size={13} /> : null}
      </dd>
      <dd className={classes.note} title={typeof note === "string" ? note : undefined}>
        {note}
      </dd>
      {curve ? <dd className={classes.curve}>{curve}</dd> : null}
    </div>
  );
}

/** The gate in six figures. */
export function Figures({ state, track }: { state: LiveState; track: Track }) {
  const t = useOverviewWords();
  const format = useFormat();
  const { calls, cache } = state;
  const wait = longestWait(state);
  const full = Math.max(0, ...state.lanes.map(fullness));
  const fullest = state.lanes.find((lane) => fullness(lane) === full && full > 0);
  const rate = format.number(calls.per_second, 1);
  const errors = format.percent(calls.error_permille / 1000);
  const spark = (total: Total, label: string, value: string, atLeast: number) => (
    <Curve
      bare
      gap={HOLE_S}
      times={track.at}
      height={34}
      atLeast={atLeast}
      describe={t("last_minutes", { label, value })}
      lines={[{ label, values: track.totals[total], fill: "--tg-curve-fill", width: 1.3 }]}
    />
  );
  return (
    <dl className={classes.figures}>
      <Figure
        label={t("calls")}
        value={rate}
        note={t("in_flight", { n: calls.in_flight })}
        curve={spark("calls_per_second", t("calls"), rate, 1)}
      />
      <Figure
        label={t("errors")}
        value={errors}
        grade={gradeOf(calls.error_permille, ...ERROR_PERMILLE)}
        note={t("refused", { n: calls.refused_per_minute, moved: calls.moved_per_minute })}
        curve={spark("error_permille", t("errors"), errors, 10)}
      />
      <Figure
        label={t("wait")}
        value={format.milliseconds(wait)}
        grade={gradeOf(wait, ...WAIT_MS)}
        note={t("waiting", { n: waiting(state) })}
        curve={spark("waiting", t("now"), String(waiting(state)), 4)}
      />
      <Figure
        label={t("fullest")}
        value={format.percent(full, 0)}
        grade={gradeOf(full, ...UTILISATION)}
        note={fullest?.model ?? t("none")}
      />
      <Figure
        label={t("cache")}
        value={cache.asked_minute ? format.percent(cache.hits_minute / cache.asked_minute) : "–"}
        note={t("cache_of", { hits: cache.hits_minute, asked: cache.asked_minute })}
      />
      <Figure
        label={t("spend")}
        value={<Money amount={state.spend_today} currency={state.currency} />}
        note={
          state.jobs
            ? `${t("jobs")}: ${t("jobs_of", { waiting: state.jobs.waiting, running: state.jobs.running, dead: state.jobs.dead })}`
            : t("since_midnight")
        }
      />
    </dl>
  );
}
