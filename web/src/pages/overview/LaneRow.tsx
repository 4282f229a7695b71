import { UnstyledButton } from "@mantine/core";
import { memo } from "react";
import type { LiveLane } from "~/api/contract";
import { HOLE_S, type LaneTrack } from "~/api/live";
import { useFormat } from "~/i18n/format";
import { Curve } from "~/parts/Curve";
import { Level } from "~/parts/Level";
import classes from "./LaneRow.module.css";
import { Meter } from "./Meter";
import { gradeOfLane, limitOf } from "./standing";
import { useOverviewWords } from "./words";

interface Props {
  lane: LiveLane;
  track: LaneTrack | undefined;
  times: readonly number[];
  chosen: boolean;
  onChoose: (lane: LiveLane) => void;
}

/** One quota: who it is, how it stands, how full it is and how it came to be so. */
export const LaneRow = memo(function LaneRow({ lane, track, times, chosen, onChoose }: Props) {
  const t = useOverviewWords();
  const format = useFormat();
  const name = `${lane.model}, ${lane.provider}/${lane.scope}`;
  const grade = gradeOfLane(lane);
  const notes = [
    lane.closed_since ? t("closed", { at: format.clock(lane.closed_since) }) : "",
    lane.limited_since ? t("limited_since", { at: format.clock(lane.limited_since) }) : "",
    lane.drained ? t("drained") : "",
    lane.throttled_minute ? t("throttled", { n: lane.throttled_minute }) : "",
  ].filter(Boolean);
  return (
    <div className={classes.row} data-grade={grade} data-chosen={chosen || undefined}>
      <div className={classes.who}>
        <UnstyledButton
          className={classes.model}
          aria-pressed={chosen}
          aria-label={t("show", { lane: name })}
          onClick={() => onChoose(lane)}
        >
          {lane.model}
        </UnstyledButton>
        <div className={classes.place}>
          {lane.provider} / {lane.scope}
        </div>
        <div className={classes.state}>
          {grade === "good" ? null : <Level grade={grade}>{notes.length ? notes.join(", ") : undefined}</Level>}
        </div>
      </div>
      <Meter unit={t("tpm")} quota={lane.tokens} />
      <div className={classes.spark}>
        <Curve
          bare
          gap={HOLE_S}
          times={times}
          height={44}
          atLeast={limitOf(lane.tokens) ?? 1}
          describe={t("last_minutes", {
            label: t("tokens"),
            value: format.short(lane.tokens.used + lane.tokens.reserved),
          })}
          lines={[
            { label: t("charged"), values: track?.tokens ?? [], fill: "--tg-curve-fill", width: 1.3 },
            {
              label: t("limit"),
              values: times.map(() => limitOf(lane.tokens)),
              colour: "--tg-limit",
              dashed: true,
              width: 1,
            },
          ]}
        />
      </div>
      <Meter unit={t("rpm")} quota={lane.requests} />
    </div>
  );
});
