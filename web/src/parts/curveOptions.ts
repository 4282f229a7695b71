import uPlot from "uplot";
import { once } from "~/i18n/once";
import type { Colour } from "./useColour";

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

interface Latest {
  atLeast?: number;
  from?: number | undefined;
  to?: number | undefined;
  format: (value: number) => string;
}

interface Wanted {
  lines: readonly Line[];
  width: number;
  height: number;
  bare: boolean;
  lang: string;
  colour: Colour;
  /** What the legend calls the moment. */
  time: string;
  /** What may change while the plot stays. */
  latest: () => Latest;
}

const steps = uPlot.paths.stepped?.({ align: 1 });

export function optionsOf({ lines, width, height, bare, lang, colour, time, latest }: Wanted): uPlot.Options {
  const axis = {
    stroke: colour("--tg-soft"),
    grid: { stroke: colour("--tg-grid"), width: 1 },
    ticks: { show: false },
    font: "11px sans-serif",
  };
  const told = (value: number | null | undefined) => (typeof value === "number" ? latest().format(value) : "–");
  const axes: uPlot.Axis[] = [
    { ...axis, values: (_, ticks) => ticks.map((one) => clockOf(lang, one, ticks)) },
    { ...axis, size: 56, values: (_, ticks) => ticks.map((one) => latest().format(one)) },
  ];
  return {
    width,
    height,
    cursor: bare ? { show: false } : { y: false, points: { size: 6 } },
    legend: { show: !bare },
    padding: bare ? [2, 0, 2, 0] : [8, 20, 0, 0],
    scales: {
      x: { time: true, range: (_, low, high) => [latest().from ?? low, latest().to ?? high] },
      y: { range: (_, __, high) => [0, Math.max(high, latest().atLeast ?? 1) * 1.06] },
    },
    axes: bare ? [{ show: false }, { show: false }] : axes,
    series: [
      { label: time, value: (_, at) => momentOf(lang, at) },
      ...lines.map((line) => seriesOf(line, colour, told)),
    ],
  };
}

function seriesOf(line: Line, colour: Colour, told: (value: number | null) => string): uPlot.Series {
  return {
    label: line.label,
    stroke: colour(line.colour ?? "--tg-curve"),
    ...(line.fill ? { fill: colour(line.fill) } : {}),
    width: line.width ?? 1.6,
    ...(line.dashed ? { dash: [5, 4] } : {}),
    ...(line.stepped && steps ? { paths: steps } : {}),
    points: { show: false },
    value: (_, value: number | null) => told(value),
  };
}

const moments = once((lang: string) => new Intl.DateTimeFormat(lang, { timeStyle: "medium", hourCycle: "h23" }));
const days = once((lang: string) => new Intl.DateTimeFormat(lang, { month: "short", day: "numeric" }));
const MINUTES = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
const minutes = once((lang: string) => new Intl.DateTimeFormat(lang, MINUTES));
const seconds = once((lang: string) => new Intl.DateTimeFormat(lang, { ...MINUTES, second: "2-digit" }));

function momentOf(lang: string, at: number | null): string {
  return at ? moments(lang).format(new Date(at * 1000)) : "–";
}

/** Hours and minutes; seconds where ticks are closer; the day at midnight of longer spans. */
function clockOf(lang: string, at: number, ticks: readonly number[]): string {
  const date = new Date(at * 1000);
  const step = (ticks[1] ?? 0) - (ticks[0] ?? 0);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0;
  if (step >= 86_400 || (midnight && step >= 3_600)) {
    return days(lang).format(date);
  }
  return (step < 60 ? seconds : minutes)(lang).format(date);
}
