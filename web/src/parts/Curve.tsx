import { useEffect, useLayoutEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useFormat } from "~/i18n/format";
import { PARTS } from "~/i18n/catalogues";
import { useLang } from "~/i18n/lang";
import { useWords } from "~/i18n/words";
import classes from "./Curve.module.css";
import { dataOf } from "./curveData";
import { type Line, optionsOf } from "./curveOptions";
import { useColour } from "./useColour";

export type { Line } from "./curveOptions";

const NARROW = 300; // pixels, where the page has no size

interface Props {
  /** Seconds since 1970, ascending. */
  times: readonly number[];
  lines: readonly Line[];
  height: number;
  /** What the picture shows, for who does not see it: one sentence, with the last value. */
  describe: string;
  /** The vertical axis begins at nought and reaches at least to here. */
  atLeast?: number;
  /** The span of the horizontal axis; left out: that of the times. */
  from?: number | undefined;
  to?: number | undefined;
  /** Without axes and figures: a small curve beside a row of them. */
  bare?: boolean;
  /** Times that lie further apart, in seconds, have nothing between them: no line is drawn over what nobody saw. */
  gap?: number;
  format?: (value: number) => string;
}

/** Curves over time on a canvas: 24 h of minutes draw in a few milliseconds. New values only move the lines. */
export function Curve(props: Props) {
  const { times, lines, height, describe, bare = false, gap } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const { lang } = useLang();
  const format = useFormat();
  const t = useWords(PARTS);
  const colour = useColour();
  const latest = useRef({ ...props, format: props.format ?? format.short });
  const looks = lines.map(({ values: _values, ...rest }) => rest);
  const shape = JSON.stringify([bare, looks, lang, colour.theme, height]);

  const wide = useRef(0);
  const data = useMemo(() => dataOf(times, lines, gap), [times, lines, gap]);
  const drawn = useRef(data);

  useEffect(() => {
    latest.current = { ...props, format: props.format ?? format.short };
  });

  useLayoutEffect(() => {
    wide.current = place.current?.clientWidth ?? 0; // before any is made: each that is would have the page laid out anew
  }, []);

  useEffect(() => {
    const box = place.current;
    if (!box) return;
    const made = new uPlot(
      optionsOf({
        lines,
        height,
        bare,
        lang,
        colour,
        time: t("time"),
        width: wide.current || NARROW,
        latest: () => latest.current,
      }),
      data,
      box,
    );
    plot.current = made;
    drawn.current = data;
    const watch = new ResizeObserver(() => {
      wide.current = box.clientWidth;
      if (made.width !== (wide.current || NARROW)) made.setSize({ width: wide.current || NARROW, height });
    });
    watch.observe(box);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = undefined;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `shape` stands for all that asks for another plot
  }, [shape]);

  useEffect(() => {
    const made = plot.current;
    if (!made) return;
    if (drawn.current !== data) made.setData(data);
    drawn.current = data;
    if (!bare && (made.cursor.left ?? -1) < 0) made.setLegend({ idx: made.data[0].length - 1 }); // nobody points: the last
  }, [data, bare]);

  return <div ref={place} className={classes.curve} data-bare={bare || undefined} role="img" aria-label={describe} />;
}
