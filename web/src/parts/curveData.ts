import type uPlot from "uplot";
import type { Line } from "./curveOptions";

/** Times and values as uPlot takes them; a hole longer than `gap` seconds gets a point without values. */
export function dataOf(times: readonly number[], lines: readonly Line[], gap = Infinity): uPlot.AlignedData {
  const holes = times.flatMap((at, index) => (index > 0 && at - (times[index - 1] ?? at) > gap ? [index] : []));
  if (!holes.length) return [[...times], ...lines.map((line) => [...line.values])];
  const after = new Set(holes);
  const widened = <T>(values: readonly T[], between: (index: number) => T) =>
    values.flatMap((value, index) => (after.has(index) ? [between(index), value] : [value]));
  return [
    widened(times, (index) => (times[index - 1] ?? 0) + 1),
    ...lines.map((line) => widened<number | null>(line.values, () => null)),
  ];
}
