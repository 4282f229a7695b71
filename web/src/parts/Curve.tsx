import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useFormat } from "~/i18n/format";
import { useLang } from "~/i18n/lang";
import classes from "./Curve.module.css";
import { useColour } from "./useColour";

export interface Line {
  label: string;
  /** In step with the times; null is a gap. */
  values: ReadonlyArray<number | null>;
  /** A custom property, `--tg-curve`; it follows the theme. */
  colour?: string;
  /** Under the line: a custom property too. */
  fill?: string;
  dashed?: boolean;
  width?: number;
  /** Drawn as steps: a limit that changed. */
  stepped?: boolean;
}

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
  from?: number;
  to?: number;
  /** Without axes: a small curve beside figures. */
  bare?: boolean;
  format?: (value: number) => string;
}

const steps = uPlot.paths.stepped?.({ align: 1 });

/** Curves over time on a canvas: 24 h of minutes draw in a few milliseconds. */
export function Curve(props: Props) {
  const { times, lines, height, describe, atLeast = 1, from, to, bare } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const { lang } = useLang();
  const short = useFormat().short;
  const colour = useColour();
  const format = useRef(short);
  format.current = props.format ?? short;
  const scale = useRef({ atLeast, from, to });
  scale.current = { atLeast, from, to };
  const shape = JSON.stringify([bare, lines.map(({ values: _, ...rest }) => rest), lang, colour.theme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for all that asks for another plot
  useEffect(() => {
    const box = place.current;
    if (!box) return;
    const axis = {
      stroke: colour("--tg-soft"),
      grid: { stroke: colour("--tg-grid"), width: 1 },
      ticks: { show: false },
      font: "11px sans-serif",
    };
    const made = new uPlot(
      {
        width: box.clientWidth || 300,
        height,
        cursor: bare ? { show: false } : { y: false, points: { size: 6 } },
        legend: { show: !bare, live: true },
        padding: bare ? [2, 0, 2, 0] : [8, 8, 0, 0],
        scales: {
          x: { time: true, range: (_, low, high) => [scale.current.from ?? low, scale.current.to ?? high] },
          y: { range: (_, __, high) => [0, Math.max(high ?? 0, scale.current.atLeast) * 1.06] },
        },
        axes: bare
          ? [{ show: false }, { show: false }]
          : [
              { ...axis, values: (_, ticks) => ticks.map((one) => clockOf(lang, one, ticks)) },
              { ...axis, size: 56, values: (_, ticks) => ticks.map((one) => format.current(one)) },
            ],
        series: [
          {
            value: (_, at) => (at === null ? "–" : new Date(at * 1000).toLocaleTimeString(lang, { hourCycle: "h23" })),
          },
          ...lines.map((line) => ({
            label: line.label,
            stroke: colour(line.colour ?? "--tg-curve"),
            ...(line.fill ? { fill: colour(line.fill) } : {}),
            width: line.width ?? 1.6,
            ...(line.dashed ? { dash: [5, 4] } : {}),
            ...(line.stepped && steps ? { paths: steps } : {}),
            points: { show: false },
            value: (_: uPlot, value: number | null) => (value === null ? "–" : format.current(value)),
          })),
        ],
      },
      dataOf(times, lines),
      box,
    );
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: box.clientWidth || 300, height }));
    watch.observe(box);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, height]);

  useEffect(() => {
    plot.current?.setData(dataOf(times, lines));
  }, [times, lines]);

  return <div ref={place} className={classes.curve} data-bare={bare || undefined} role="img" aria-label={describe} />;
}

function dataOf(times: readonly number[], lines: readonly Line[]): uPlot.AlignedData {
  return [[...times], ...lines.map((line) => [...line.values])];
}

/** Hours and minutes; seconds where ticks are closer; the day at midnight of longer spans. */
function clockOf(lang: string, at: number, ticks: readonly number[]): string {
  const date = new Date(at * 1000);
  const step = (ticks[1] ?? 0) - (ticks[0] ?? 0);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0;
  if (step >= 86_400 || (midnight && step >= 3_600))
    return date.toLocaleDateString(lang, { month: "short", day: "numeric" });
  const seconds = step < 60 ? ({ second: "2-digit" } as const) : {};
  return date.toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...seconds });
}
