import type { CSSProperties } from "react";
import type { Quota } from "~/api/contract";
import { charged } from "~/api/live";
import { useFormat } from "~/i18n/format";
import { type Grade, gradeOf } from "~/parts/Level";
import classes from "./Meter.module.css";
import { limitOf, shareOf, UTILISATION } from "./standing";
import { useOverviewWords } from "./words";

/** Used and reserved of a limit, as figures and as one bar; the bar repeats what the figures say. */
export function Meter({ unit, quota }: { unit: string; quota: Quota }) {
  const t = useOverviewWords();
  const format = useFormat();
  const limit = limitOf(quota);
  const share = shareOf(quota);
  const grade: Grade = gradeOf(share, ...UTILISATION);
  const part = (value: number) => `${limit ? Math.min(100, (100 * value) / limit) : 0}%`;
  const notes = [
    quota.reserved ? t("reserved_n", { n: format.short(quota.reserved) }) : "",
    quota.learned !== null && quota.learned !== quota.limit ? t("learned_n", { n: format.short(quota.learned) }) : "",
    quota.everywhere ? t("everywhere", { n: format.short(quota.everywhere) }) : "",
  ].filter(Boolean);
  return (
    <div className={classes.meter} data-grade={grade}>
      <div className={classes.figures}>
        <span className={classes.unit}>{unit}</span>
        <span>
          {limit === null
            ? `${format.short(charged(quota))} · ${t("unlimited")}`
            : t("of_limit", { used: format.short(charged(quota)), limit: format.short(limit) })}
        </span>
        {limit === null ? null : <span className={classes.share}>{format.percent(share, 0)}</span>}
      </div>
      <div
        className={classes.bar}
        aria-hidden
        style={{ "--used": part(quota.used), "--reserved": part(quota.reserved) } as CSSProperties}
      >
        <span className={classes.used} />
        <span className={classes.reserved} />
      </div>
      <div className={classes.notes}>{notes.join(" · ")}</div>
    </div>
  );
}
