import { expect, test } from "vitest";
import type { LiveRecent, LiveState } from "./contract";
import { filled, grown, NO_TRACK, WINDOW_S } from "./track";
import { lane, state } from "~/test/live";

const at = (second: number) => new Date(second * 1000).toISOString();
const one = (second: number, used: number): LiveState =>
  state({ at: at(second), lanes: [lane({ tokens: { used, reserved: 5, limit: 100, learned: null } })] });
const KEY = "openai/main/gpt-4o";

test("each second adds what was charged: used and reserved together", () => {
  const track = grown(grown(NO_TRACK, one(1000, 10)), one(1001, 20));
  expect(track.at).toEqual([1000, 1001]);
  expect(track.lanes.get(KEY)?.tokens).toEqual([15, 25]);
});

test("what is reserved and what the limits were is kept by the second", () => {
  const later = state({ at: at(1001), lanes: [lane({ tokens: { used: 1, reserved: 2, limit: 50, learned: 50 } })] });
  const track = grown(grown(NO_TRACK, one(1000, 10)), later).lanes.get(KEY);
  expect(track?.reserved).toEqual([5, 2]);
  expect(track?.tokens_limit).toEqual([100, 50]);
  expect(track?.tokens_learned).toEqual([null, 50]);
});

test("the same second again changes the last point and adds none", () => {
  const track = grown(grown(NO_TRACK, one(1000, 10)), one(1000, 30));
  expect(track.at).toEqual([1000]);
  expect(track.lanes.get(KEY)?.tokens).toEqual([35]);
});

test("what is older than the window goes, and every list stays as long as the times", () => {
  let track = NO_TRACK;
  for (let second = 0; second < WINDOW_S + 50; second += 1) track = grown(track, one(1000 + second, second));
  expect(track.at).toHaveLength(WINDOW_S);
  expect(track.lanes.get(KEY)?.requests).toHaveLength(WINDOW_S);
  expect(track.totals.waiting).toHaveLength(WINDOW_S);
});

test("a lane that is not told of leaves a gap, and one that comes late begins with one", () => {
  const other = state({ at: at(1001), lanes: [lane({ model: "late" })] });
  const track = grown(grown(NO_TRACK, one(1000, 10)), other);
  expect(track.lanes.get(KEY)?.tokens).toEqual([15, null]);
  expect(track.lanes.get("openai/main/late")?.tokens).toEqual([null, 0]);
});

test("what was before is put before, and what the page saw itself stays", () => {
  const recent: LiveRecent = {
    step_s: 1,
    points: {
      at: [at(998), at(999), at(1000)],
      lanes: { [KEY]: { tokens: [1, 2, 3], requests: [4, 5, 6], reserved: [0, 1, 2] } },
      totals: { waiting: [7, 8, 9], calls_per_second: [], error_permille: [], in_flight: [] },
      hidden: 0,
    },
  };
  const track = filled(grown(NO_TRACK, one(1000, 10)), recent);
  expect(track.at).toEqual([998, 999, 1000]);
  expect(track.lanes.get(KEY)?.tokens).toEqual([1, 2, 15]);
  expect(track.lanes.get(KEY)?.reserved).toEqual([0, 1, 5]);
  expect(track.lanes.get(KEY)?.tokens_limit).toEqual([null, null, 100]);
  expect(track.totals.waiting).toEqual([7, 8, 0]);
});
