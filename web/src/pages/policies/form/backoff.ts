/** The waits between attempts as the gate computes them (`policy/failure/recovery.py`), for a picture. */

export interface Backoff {
  max_retries: number;
  backoff_multiplier: number;
  jitter_enabled: boolean;
  base_seconds: number;
  cap_seconds: number;
}

export interface Wait {
  /** Seconds, without luck and with the most of it. */
  least: number;
  most: number;
  /** Cut at `cap_seconds`. */
  capped: boolean;
}

const JITTER = 0.1; // adds at most so much of a wait; it never shortens one
const SHOWN = 12;

/** The waits after the 1st, 2nd, … failure of one target. `named`: the provider said how long (`Retry-After`). */
export function waitsOf(policy: Backoff, named?: number): { waits: Wait[]; more: number; refused: boolean } {
  const many = Math.max(0, policy.max_retries - 1);
  const start = named ?? policy.base_seconds;
  const waits: Wait[] = [];
  for (let at = 0; at < Math.min(many, SHOWN); at += 1) {
    const least = start * policy.backoff_multiplier ** Math.min(at, 30);
    const most = least * (policy.jitter_enabled ? 1 + JITTER : 1);
    // a time that the provider named is not cut short: the next target is tried instead
    if (named !== undefined && least > policy.cap_seconds) return { waits, more: 0, refused: true };
    waits.push({
      least: Math.min(least, policy.cap_seconds),
      most: Math.min(most, policy.cap_seconds),
      capped: most > policy.cap_seconds,
    });
  }
  return { waits, more: Math.max(0, many - SHOWN), refused: false };
}

export const totalOf = (waits: readonly Wait[]) => ({
  least: waits.reduce((sum, one) => sum + one.least, 0),
  most: waits.reduce((sum, one) => sum + one.most, 0),
});
