import { expect, test } from "vitest";
import type { Change, Policy, Preview } from "../types";
import { type Action, after, type Draft, draftOf, isChanged, isChecked } from "./draft";
import { overlaid } from "./paths";
import { reversed, spliced, spliceOf } from "./splice";

const POLICY: Policy = {
  digest: "d1",
  version: 1,
  file: "gate.yaml",
  text: "a: 1\nb: 2\n",
  form: { strategies: [], models: [] },
  writable: true,
  warnings: [],
};
const preview = (text: string, more: Partial<Preview> = {}): Preview => ({
  text,
  diff: "",
  errors: [],
  warnings: [],
  form: { strategies: [], models: [] },
  digest: "d1",
  ...more,
});
const play = (...actions: Action[]) => actions.reduce(after, draftOf(POLICY));
const typed = (text: string, at = 0): Action => ({ do: "typed", text, at });
const change: Change = { path: ["a"], value: 5 };
const checked = (draft: Draft, text: string, at = 0, more: Partial<Preview> = {}) =>
  after(draft, { do: "checked", of: draft.edits, preview: preview(text, more), at });

test("a splice makes the other text, and reversed the first again", () => {
  const [one, other] = ["rpm: 600\ntpm: 1\n", "rpm: 1200\ntpm: 1\n"];
  const splice = spliceOf(one, other);
  expect(spliced(one, splice)).toBe(other);
  expect(spliced(other, reversed(splice))).toBe(one);
  expect(spliceOf("aaa", "aaaa")).toEqual({ at: 3, removed: "", inserted: "a" });
});

test("a control's change waits for the gate to write it, and is in the text then", () => {
  const waiting = play({ do: "controlled", changes: [change] });
  expect([isChanged(waiting), isChecked(waiting), waiting.text]).toEqual([true, false, POLICY.text]);
  const written = checked(waiting, "a: 5\nb: 2\n");
  expect([written.text, written.pending, isChecked(written)]).toEqual(["a: 5\nb: 2\n", [], true]);
});

test("the later of two changes of one field is sent alone; changes of list items keep their order", () => {
  const item = (value: string): Change => ({ path: ["list", 0, "model"], value });
  const draft = play(
    { do: "controlled", changes: [change, item("x")] },
    { do: "controlled", changes: [{ path: ["a"], value: 7 }, item("y")] },
  );
  expect(draft.pending).toEqual([item("x"), { path: ["a"], value: 7 }, item("y")]);
});

test("an answer to what has been changed since says nothing: the latest wins", () => {
  const first = play({ do: "controlled", changes: [change] });
  const second = after(first, typed("a: 9\nb: 2\n"));
  const late = after(second, { do: "checked", of: first.edits, preview: preview("a: 5\nb: 2\n"), at: 0 });
  expect(late).toBe(second);
});

test("a change that the gate cannot make is given up with its error, and the text stays", () => {
  const error = { line: 1, column: 1, field: "a", message: "an alias stands here", remedy: "change it in the text" };
  const draft = checked(play({ do: "controlled", changes: [change] }), POLICY.text, 0, { errors: [error] });
  expect([draft.text, draft.pending, draft.errors]).toEqual([POLICY.text, [], [error]]);
});

test("a text that is no YAML keeps the last form, and says that it is broken", () => {
  const { form, broken } = checked(play(typed("a: [")), "a: [", 0, { form: null });
  expect([form, broken]).toEqual([POLICY.form, true]);
});

test("undo goes back over controls and typing alike, redo forward, and what is typed then ends redo", () => {
  const two = checked(
    after(play(typed("a: 1\nb: 3\n", 0)), { do: "controlled", changes: [change] }),
    "a: 5\nb: 3\n",
    5_000,
  );
  const once = after(two, { do: "undo" });
  const twice = after(once, { do: "undo" });
  expect([once.text, twice.text, isChanged(twice)]).toEqual(["a: 1\nb: 3\n", POLICY.text, false]);
  const again = after(after(twice, { do: "redo" }), { do: "redo" });
  expect(again.text).toBe("a: 5\nb: 3\n");
  expect(after(once, typed("other", 9_000)).future).toEqual([]);
});

test("typing without a pause is one step of undo, after a pause it is another", () => {
  const quick = play(typed("x", 0), typed("xy", 300), typed("xyz", 600));
  expect(after(quick, { do: "undo" }).text).toBe(POLICY.text);
  const slow = play(typed("x", 0), typed("xy", 3_000));
  expect(after(slow, { do: "undo" }).text).toBe("x");
});

test("undo of a change that the gate has not written yet takes it back", () => {
  const draft = after(play({ do: "controlled", changes: [change] }), { do: "undo" });
  expect([draft.pending, isChanged(draft)]).toEqual([[], false]);
});

test("what somebody else applied is taken over where nothing was changed, and is said where something was", () => {
  const theirs: Policy = { ...POLICY, digest: "d2", version: 2, text: "a: 1\nb: 9\n" };
  const clean = play({ do: "loaded", policy: theirs });
  expect([clean.text, clean.base.digest, clean.theirs]).toEqual([theirs.text, "d2", undefined]);
  const mine = play(typed("a: 7\nb: 2\n"), { do: "loaded", policy: theirs });
  expect([mine.text, mine.base.digest, mine.theirs]).toEqual(["a: 7\nb: 2\n", "d1", theirs]);
});

test("taking theirs, or both brought together, loses nothing: undo brings one's own text back", () => {
  const theirs: Policy = { ...POLICY, digest: "d2", version: 2, text: "a: 1\nb: 9\n" };
  const taken = play(
    typed("a: 7\nb: 2\n"),
    { do: "loaded", policy: theirs },
    { do: "replaced", text: theirs.text, base: theirs, at: 9_000 },
  );
  expect([isChanged(taken), taken.theirs, taken.base.digest]).toEqual([false, undefined, "d2"]);
  expect(after(taken, { do: "undo" }).text).toBe("a: 7\nb: 2\n");
});

test("steps of undo are bounded, however long somebody types", () => {
  let draft = draftOf(POLICY);
  for (let at = 0; at < 700; at += 1) draft = after(draft, typed(`x: ${at}\n`, at * 10_000));
  expect(draft.past.length).toBe(500);
});

test("controls show what was changed before the gate has written it", () => {
  const strategy = {
    path: ["strategies", "chat"],
    name: "chat",
    primary_model: "m",
    fallback_models: [{ model: "x", priority: 1 }],
    set: ["retry_policy.max_retries"],
    retry_policy: { max_retries: 3 },
  };
  const shown = overlaid(strategy, [
    { path: ["strategies", "chat", "rate_limit_policy", "max_rpm"], value: 60 },
    { path: ["strategies", "chat", "retry_policy", "max_retries"], remove: true },
    { path: ["strategies", "chat", "fallback_models", 0], remove: true },
    { path: ["strategies", "other", "primary_model"], value: "no" },
  ]);
  expect(shown).toMatchObject({ primary_model: "m", rate_limit_policy: { max_rpm: 60 }, fallback_models: [] });
  expect(shown.set).toEqual(["rate_limit_policy.max_rpm"]);
});
