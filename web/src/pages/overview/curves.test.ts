import { expect, test } from "vitest";
import type { LiveRecent, Quota } from "~/api/contract";
import { filled, grown, NO_TRACK } from "~/api/track";
import { lane, state } from "~/test/live";
import { liveSeries } from "./LaneCurves";

const at = (second: number) => new Date(second * 1000).toISOString();
const RECENT: LiveRecent = {
  step_s: 1,
  points: {
    at: [at(998), at(999)],
    lanes: { "openai/main/gpt-4o": { tokens: [1, 2], requests: [3, 4], reserved: [0, 1] } },
    totals: { waiting: [0, 0], calls_per_second: [0, 0], error_permille: [0, 0], in_flight: [0, 0] },
    hidden: 0,
  },
};
const seconds = (...quotas: Partial<Quota>[]) =>
  quotas.reduce(
    (track, tokens, index) =>
      grown(
        track,
        state({
          at: at(1000 + index),
          lanes: [lane({ tokens: { ...lane().tokens, used: 7, reserved: 2, ...tokens } })],
        }),
      ),
    NO_TRACK,
  );

test("a curve has what was used, what of it was reserved, and the limit of each second", () => {
  const track = filled(seconds({ limit: 100 }, { limit: 50, learned: 50 }), RECENT);
  expect(liveSeries(track, lane(), "tokens")).toEqual({
    times: [998, 999, 1000, 1001],
    values: [1, 2, 9, 9],
    limits: [100, 100, 100, 50],
    reserved: [0, 1, 2, 2],
  });
  expect(liveSeries(track, lane(), "requests")).not.toHaveProperty("reserved");
});

test("a learnt limit is a line of its own where it is another than the limit, since it was learnt", () => {
  const track = filled(seconds({ limit: 100 }, { limit: 100, learned: 80 }), RECENT);
  expect(liveSeries(track, lane(), "tokens").learned).toEqual([null, null, null, 80]);
  const always = filled(seconds({ limit: 100, learned: 80 }), RECENT);
  expect(liveSeries(always, lane(), "tokens").learned).toEqual([80, 80, 80]);
});

test("a lane that nothing is known of has its limit and no values", () => {
  const series = liveSeries(seconds({}), lane({ model: "other" }), "tokens");
  expect(series).toEqual({ times: [1000], values: [null], limits: [100] });
});
