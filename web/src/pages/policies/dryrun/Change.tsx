import { useCallback } from "react";
import { useFormat } from "~/i18n/format";
import { IconArrowDown, IconArrowUp } from "~/parts/icons";
import { usePolicyWords } from "../words";
import classes from "./dryrun.module.css";
import { type Figure, verdictOf } from "./figures";

export function useFigureText(currency: string) {
  const format = useFormat();
  return useCallback(
    (figure: Figure, value: number) => {
      if (figure.kind === "cost") return format.money(value, currency);
      return figure.kind === "ms" ? format.milliseconds(value) : format.number(value);
    },
    [format, currency],
  );
}

interface Props {
  figure: Figure;
  before: number;
  after: number;
  currency: string;
}

/** By how much, which way, and whether that is good: by arrow and word, not by colour alone. */
export function Change({ figure, before, after, currency }: Props) {
  const t = usePolicyWords();
  const text = useFigureText(currency);
  const by = after - before;
  if (Math.abs(by) < 1e-9) return <span className="tg-soft">–</span>;
  const verdict = verdictOf(figure, before, after);
  const Icon = by > 0 ? IconArrowUp : IconArrowDown;
  return (
    <span className={classes.change} data-verdict={verdict}>
      <Icon size={14} aria-hidden />
      {by > 0 ? "+" : "−"}
      {text(figure, Math.abs(by))}
      {verdict ? <span className={classes.verdict}>{t(`dry_${verdict}`)}</span> : null}
    </span>
  );
}
