import { useCallback } from "react";
import { useFormat } from "~/i18n/format";
import { IconArrowDown, IconArrowUp } from "~/parts/icons";
import { usePolicyWords } from "../words";
import classes from "./dryrun.module.css";
import { type Figure, figureOf, isUnsure, spreadOf, verdictOf } from "./figures";
import type { Figures, Group, Spread } from "./types";

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

/** A mean and how far plays lie from each other: `1,234 ± 21`. */
export function useMeanText(currency: string) {
  const text = useFigureText(currency);
  return useCallback(
    (figure: Figure, figures: Figures, spread: Spread) => {
      const by = spreadOf(spread, figure);
      const mean = text(figure, figureOf(figures, figure));
      return by === undefined ? mean : `${mean} ± ${text(figure, figure.kind === "count" ? Math.round(by) : by)}`;
    },
    [text],
  );
}

interface Props {
  figure: Figure;
  group: Group;
  currency: string;
}

/** By how much, which way, and whether that is good, or chance: by arrow and word, not by colour alone. */
export function Change({ figure, group, currency }: Props) {
  const t = usePolicyWords();
  const text = useFigureText(currency);
  const [before, after] = [figureOf(group.before, figure), figureOf(group.after, figure)];
  const by = after - before;
  if (Math.abs(by) < 1e-9) return <span className="tg-soft">–</span>;
  const verdict = isUnsure(group, figure) ? "unsure" : verdictOf(figure, before, after);
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
