import { expect, test } from "vitest";
import { FIGURES, type Figure, isUnsure, spreadOf } from "./figures";
import type { Group } from "./types";

const figure = (key: Figure["key"]) => FIGURES.find((one) => one.key === key) as Figure;

test("what is less than a call, a millisecond or a hundredth of a cent is no spread", () => {
  expect(spreadOf({}, figure("queued"))).toBeUndefined();
  expect(spreadOf({ queued: 0.4 }, figure("queued"))).toBeUndefined();
  expect(spreadOf({ queued: 0.7 }, figure("queued"))).toBe(1);
  expect(spreadOf({ wait_p95_ms: 41.6 }, figure("wait_p95_ms"))).toBe(41.6);
  expect(spreadOf({ cost_nano: 40_000 }, figure("cost"))).toBeUndefined();
  expect(spreadOf({ cost_nano: 2_000_000 }, figure("cost"))).toBe(0.002);
  expect(spreadOf({ queued: 9 }, figure("calls"))).toBeUndefined();
});

test("figures that chance may have changed are known by the record's names", () => {
  const group = { unsure: ["queued", "cost_nano"] } as Partial<Group> as Group;
  expect(FIGURES.filter((one) => isUnsure(group, one)).map((one) => one.key)).toEqual(["queued", "cost"]);
});
