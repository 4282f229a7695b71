import { expect, test } from "vitest";
import { dataOf } from "./curveData";

const lines = [{ label: "a", values: [1, 2, 3] }];

test("what nobody saw is a hole, not a straight line", () => {
  expect(dataOf([10, 11, 60], lines, 5)).toEqual([
    [10, 11, 12, 60],
    [1, 2, null, 3],
  ]);
});

test("without a hole, and where none is asked for, the values stay as they are", () => {
  expect(dataOf([10, 11, 12], lines, 5)).toEqual([
    [10, 11, 12],
    [1, 2, 3],
  ]);
  expect(dataOf([10, 11, 60], lines)).toEqual([
    [10, 11, 60],
    [1, 2, 3],
  ]);
});
