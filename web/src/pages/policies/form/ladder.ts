/** The steps of a slider: a few round numbers over a wide range, so that one hand's width reaches from 1 to a billion. */

export interface Ladder {
  stops: readonly number[];
  /** Behind the last stop: no bound at all. */
  open: boolean;
}

const MANTISSAS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8];

const round = (value: number) => Number(value.toPrecision(6));

/** Round numbers between two, some ten for each power of ten; `whole`: integers only. */
export function powers(from: number, to: number, { whole = true, open = false } = {}): Ladder {
  const stops = new Set([from, to]);
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power += 1) {
    for (const mantissa of MANTISSAS) stops.add(round(mantissa * 10 ** power));
  }
  const kept = [...stops].filter((one) => one >= from && one <= to && (!whole || Number.isInteger(one)));
  return { stops: kept.sort((a, b) => a - b), open };
}

/** Equal steps. */
export function even(from: number, to: number, step: number): Ladder {
  const many = Math.round((to - from) / step);
  return { stops: Array.from({ length: many + 1 }, (_, at) => round(from + at * step)), open: false };
}

export const steps = (...stops: number[]): Ladder => ({ stops, open: false });

export const lastOf = ({ stops, open }: Ladder) => stops.length - (open ? 0 : 1);

/** Where on the slider a value is; between two stops for one that is no stop. Undefined: no bound. */
export function positionOf(ladder: Ladder, value: number | undefined): number {
  const { stops } = ladder;
  const last = stops.length - 1;
  if (value === undefined) return lastOf(ladder);
  const above = stops.findIndex((one) => one >= value);
  if (above < 0) return last;
  if (above === 0 || stops[above] === value) return above;
  const [low, high] = [stops[above - 1] as number, stops[above] as number];
  return above - 1 + (value - low) / (high - low);
}

/** The stop that is meant when the slider goes from one position to another; undefined: no bound. */
export function stopAt(ladder: Ladder, position: number, before: number): number | undefined {
  const whole = position > before ? Math.floor(position + 1e-9) : Math.ceil(position - 1e-9);
  return ladder.stops[Math.max(0, Math.min(whole, lastOf(ladder)))];
}
