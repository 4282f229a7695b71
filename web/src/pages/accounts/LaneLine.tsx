import { Text, UnstyledButton } from "@mantine/core";
import type { Quota } from "~/api/contract";
import { useFormat } from "~/i18n/format";
import { IconChevronDown, IconChevronRight } from "~/parts/icons";
import { Level } from "~/parts/Level";
import { Meter } from "~/pages/overview/Meter";
import classes from "./accounts.module.css";
import { Day, type Place } from "./Day";
import { gradeOfLane, gradeOfOutlook, type Lane, nearest, type Outlook } from "./standing";
import { useAccountWords } from "./words";

interface Props {
  place: Place;
  lane: Lane;
  outlooks: readonly Outlook[];
  open: boolean;
  onOpen: (open: boolean) => void;
}

/** One quota: how full it is, whether its provider refuses, when it will be exhausted; unfolded, its day. */
export function LaneLine({ place, lane, outlooks, open, onOpen }: Props) {
  const t = useAccountWords();
  const Icon = open ? IconChevronDown : IconChevronRight;
  return (
    <li className={classes.lane}>
      <div className={classes.line}>
        <div className={classes.who}>
          <UnstyledButton
            className={classes.model}
            aria-expanded={open}
            title={lane.model}
            aria-label={t(open ? "hide_curve" : "show_curve", { model: lane.model })}
            onClick={() => onOpen(!open)}
          >
            <Icon aria-hidden size={14} /> {lane.model}
          </UnstyledButton>
          <Standing lane={lane} />
        </div>
        <Bar unit={t("tpm")} quota={lane.tokens} />
        <Bar unit={t("rpm")} quota={lane.requests} />
        <Forecast of={outlooks} />
      </div>
      {open ? <Day place={place} /> : null}
    </li>
  );
}

type Told = Omit<Quota, "limit" | "learned"> & { limit?: number | null; learned?: number | null };

function Bar({ unit, quota }: { unit: string; quota: Told | null | undefined }) {
  const t = useAccountWords();
  // what is null is left out of this answer
  if (quota)
    return <Meter unit={unit} quota={{ ...quota, limit: quota.limit ?? null, learned: quota.learned ?? null }} />;
  return (
    <Text size="xs" className="tg-soft">
      {unit}: {t("not_told")}
    </Text>
  );
}

function Standing({ lane }: { lane: Lane }) {
  const t = useAccountWords();
  const format = useFormat();
  const grade = gradeOfLane(lane);
  const at = lane.breaker === "open" && lane.open_until ? t("open_until", { at: format.clock(lane.open_until) }) : "";
  const bad = [
    lane.breaker === "closed" ? "" : `${t(lane.breaker)} ${at}`.trim(),
    lane.throttled_minute ? t("refusals", { n: lane.throttled_minute }) : "",
  ].filter(Boolean);
  const most = lane.limits.concurrency;
  return (
    <div className={classes.standing}>
      {bad.length ? <Level grade={grade}>{bad.join(", ")}</Level> : null}
      <Text size="xs" className="tg-soft">
        {[t("in_flight", { n: lane.in_flight }), most ? t("concurrency", { n: most }) : ""].filter(Boolean).join(", ")}
      </Text>
    </div>
  );
}

function Forecast({ of }: { of: readonly Outlook[] }) {
  const t = useAccountWords();
  const format = useFormat();
  const one = nearest(of);
  if (!one?.method && typeof one?.exhausted_in_seconds !== "number") {
    return (
      <Text size="xs" className="tg-soft">
        {t("outlook")}: {t("unknown")}
      </Text>
    );
  }
  const unit = t(one.unit);
  const time = (seconds: number) => format.milliseconds(Math.round(seconds) * 1000);
  if (typeof one.exhausted_in_seconds === "number") {
    const soon = one.soon_in_seconds === one.exhausted_in_seconds;
    return (
      <div>
        <Level grade={gradeOfOutlook(one)}>{t("outlook_of", { unit, time: time(one.exhausted_in_seconds) })}</Level>
        <Text size="xs" className="tg-soft">
          {t(soon ? "soon" : "expected")}
        </Text>
      </div>
    );
  }
  if (typeof one.likely_in_seconds === "number") {
    return <Text size="xs">{t("likely_of", { unit, time: time(one.likely_in_seconds) })}</Text>;
  }
  return (
    <Text size="xs" className="tg-soft">
      {t("peak_of", { unit, peak: format.short(Math.round(one.peak)), limit: format.short(one.limit) })}
    </Text>
  );
}
