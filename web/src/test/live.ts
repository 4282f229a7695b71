/** States of a gate, for tests: all is well, but for what is changed. */
import type { LiveLane, LiveState } from "~/api/contract";

export function lane(change: Partial<LiveLane> = {}): LiveLane {
  const quota = { used: 0, reserved: 0, limit: 100, learned: null };
  return {
    provider: "openai",
    scope: "main",
    model: "gpt-4o",
    requests: quota,
    tokens: quota,
    throttled_minute: 0,
    in_flight: 0,
    drained: false,
    ...change,
  };
}

export function state(change: Partial<LiveState> = {}): LiveState {
  return {
    at: "2026-01-01T00:00:00Z",
    node: "a",
    ready: true,
    draining: false,
    version: 3,
    workers: { ready: 1, of: 1 },
    lanes: [lane()],
    lanes_hidden: 0,
    queues: [],
    calls: { per_second: 2.5, in_flight: 1, error_permille: 0, refused_per_minute: 0, moved_per_minute: 0 },
    cache: { asked_minute: 4, hits_minute: 1 },
    spend_today: "1.25",
    currency: "USD",
    alerts: [],
    sentence: { code: "well", values: { calls_per_second: 2.5, percent: 41 } },
    database_away: false,
    clustered: false,
    ...change,
  };
}
