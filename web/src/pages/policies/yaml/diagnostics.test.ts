import { Text } from "@codemirror/state";
import { expect, test } from "vitest";
import type { Finding } from "../types";
import { diagnosticsOf, placeOf } from "./diagnostics";

const DOC = Text.of(["strategies:", "  聊天😀: {max_rpm: soon}", "journal:", "  flush_second: 5  # why"]);
const found = (line: number, column: number, more: Partial<Finding> = {}) =>
  ({ line, column, field: "", message: "is wrong", remedy: "", file: "", ...more }) as Finding;
const marked = (...errors: Finding[]) =>
  diagnosticsOf(DOC, errors, [], (text) => text).map(({ from, to }) => DOC.sliceString(from, to));

test("a finding is marked at its line and column, as far as the word goes", () => {
  expect(marked(found(4, 3))).toEqual(["flush_second:"]);
  expect(marked(found(1, 1))).toEqual(["strategies:"]);
});

test("columns count characters, not the units that the editor counts", () => {
  expect(marked(found(2, 9))).toEqual(["max_rpm:"]);
  expect(DOC.sliceString(placeOf(DOC, { line: 2, column: 5 }), DOC.line(2).to)).toBe("😀: {max_rpm: soon}");
});

test("where no word stands, what stands on the line is marked", () => {
  expect(marked(found(4, 1))).toEqual(["flush_second: 5  # why"]);
});

test("a place that the text does not have any more lies at its nearest", () => {
  expect(placeOf(DOC, { line: 99, column: 99 })).toBe(DOC.length);
  expect(placeOf(DOC, { line: 0, column: 0 })).toBe(0);
});

test("they stand in the order of the text, with field and remedy; findings of other files are not marked", () => {
  const told = diagnosticsOf(
    DOC,
    [found(4, 3, { field: "journal.flush_second", remedy: "did you mean flush_seconds" }), found(1, 1, { file: "b" })],
    [found(3, 1)],
    (text) => text,
  );
  expect(told.map(({ severity, message }) => [severity, message])).toEqual([
    ["warning", "is wrong"],
    ["error", "journal.flush_second: is wrong; did you mean flush_seconds"],
  ]);
});
