import type { CSSProperties, ReactNode } from "react";
import { PARTS } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { IconAlertTriangle, IconCircleCheck, IconExclamationCircle } from "~/parts/icons";
import classes from "./Level.module.css";

/** How something stands, by the mission's two thresholds. */
export type Grade = "good" | "warn" | "crit";

/** Warning from `warn` on, critical from `crit` on. */
export function gradeOf(value: number, warn: number, crit: number): Grade {
  if (value >= crit) return "crit";
  return value >= warn ? "warn" : "good";
}

export const worst = (grades: Iterable<Grade>): Grade => {
  const all = new Set(grades);
  if (all.has("crit")) return "crit";
  return all.has("warn") ? "warn" : "good";
};

export const ICONS = { good: IconCircleCheck, warn: IconAlertTriangle, crit: IconExclamationCircle };

/** A grade as colour, shape and word at once: who sees no colours still sees it. */
export function Level({ grade, children, size = 15 }: { grade: Grade; children?: ReactNode; size?: number }) {
  const t = useWords(PARTS);
  const Icon = ICONS[grade];
  return (
    <span className={classes.level} data-grade={grade} style={{ "--icon": `${size}px` } as CSSProperties}>
      <Icon aria-hidden size={size} />
      {children === undefined ? (
        t(grade)
      ) : (
        <>
          <span className="tg-unseen">{t(grade)}: </span>
          {children}
        </>
      )}
    </span>
  );
}
