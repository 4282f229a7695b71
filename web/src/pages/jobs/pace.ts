/** How fast a backlog is worked off, out of what the gate told of it while somebody looked. */
export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  /** Jobs that wait or run. */
  left: number;
  /** Jobs that have ended, ever. */
  ended: number;
}

export interface Pace {
  perMinute: number;
  /** Until nothing is left, where nothing is added; undefined: nothing is left, or nothing ends. */
  seconds: number | undefined;
}

const WINDOW_MS = 120_000;
const LEAST_MS = 10_000;

/** With one more; what is older than the window goes, and all of it where jobs were forgotten. */
export function withSample(samples: readonly Sample[], now: Sample): Sample[] {
  const kept = samples.filter((one) => one.at > now.at - WINDOW_MS && one.ended <= now.ended);
  return [...kept, now];
}

/** Undefined: it was not looked at for long enough. */
export function paceOf(samples: readonly Sample[]): Pace | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.at - first.at < LEAST_MS) return undefined;
  const perMs = (last.ended - first.ended) / (last.at - first.at);
  const ends = perMs > 0 && last.left > 0;
  return { perMinute: perMs * 60_000, seconds: ends ? last.left / perMs / 1_000 : undefined };
}
