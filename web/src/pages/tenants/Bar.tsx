import type { CSSProperties } from "react";
import { useFormat } from "~/i18n/format";
import { gradeOf } from "~/parts/Level";
import type { Use } from "./api";
import classes from "./tenants.module.css";
import { useTenantWords } from "./words";

interface Props {
  word: string;
  bound: Use["money_today"];
  say: (value: string) => string;
}

/** What is used of a bound of a day or a month: figures, and a bar that repeats them. */
export function Bar({ word, bound: { used, limit }, say }: Props) {
  const t = useTenantWords();
  const format = useFormat();
  const share = limit && Number(limit) > 0 ? Number(used) / Number(limit) : 0;
  return (
    <div className={classes.use} data-grade={gradeOf(share, 0.8, 1)}>
      <div className={classes.figures}>
        <span className="tg-soft">{word}</span>
        <span>{limit ? t("used_of", { used: say(used), limit: say(limit) }) : say(used)}</span>
        <span className={classes.share}>{limit ? format.percent(share) : t("unbounded")}</span>
      </div>
      {limit ? (
        <div
          className={classes.track}
          aria-hidden
          style={{ "--share": `${Math.min(100, share * 100)}%` } as CSSProperties}
        >
          <span className={classes.filled} />
        </div>
      ) : null}
    </div>
  );
}
