import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import en from "~/i18n/en/policies";
import { overlaid } from "../draft/paths";
import type { Strategy } from "../types";
import { totalOf, waitsOf } from "./backoff";
import { bucketOf } from "./bucket";
import { FIELDS } from "./fields";
import { lastOf, positionOf, powers, stopAt } from "./ladder";
import { appended, moved, removed, targetsOf } from "./order";

const strategy = (...fallbacks: [string, number?][]): Strategy => ({
  path: ["model_strategy"],
  name: "p",
  primary_model: "p",
  fallback_models: fallbacks.map(([model, priority]) => ({ model, priority })),
  set: [],
});
const names = (one: Strategy) => targetsOf(one).map((target) => target.model);
const afterMove = (one: Strategy, from: number, to: number) => names(overlaid(one, moved(one, from, to)));

test("a slider reaches every round number, and the mission's own", () => {
  const rpm = powers(1, 1e6, { open: true });
  for (const value of [1, 60, 100, 3_000, 150_000, 1e6]) expect(rpm.stops).toContain(value);
  expect(positionOf(rpm, undefined)).toBe(lastOf(rpm));
  expect(stopAt(rpm, lastOf(rpm), 0)).toBeUndefined();
});

test("a step from a number between two stops goes to the nearest stop on that side", () => {
  const rpm = powers(1, 1e6);
  const between = positionOf(rpm, 3_500);
  expect(stopAt(rpm, between + 1, between)).toBe(4_000);
  expect(stopAt(rpm, between - 1, between)).toBe(3_000);
});

test("each field has a name and an explanation, each choice a word, and its default is what the documentation says", () => {
  const words = en as Record<string, unknown>;
  const page = readFileSync("../docs/configuration.md", "utf8");
  const part = page.slice(page.indexOf("### `strategies.NAME`"), page.indexOf("### `defaults`"));
  for (const field of FIELDS) {
    expect(words[`f_${field.key}`], field.key).toBeTruthy();
    expect(words[`h_${field.key}`], field.key).toBeTruthy();
    if (field.kind === "number") expect(words[`u_${field.unit}`], field.unit).toBeDefined();
    if (field.kind === "choice") for (const one of field.choices) expect(words[`c_${one}`], one).toBeTruthy();
    const section = ["strategies.NAME", ...field.path.slice(0, -1)].join(".");
    const from = part.indexOf(`### \`${section}\``);
    const table = part.slice(from, part.indexOf("\n### ", from + 1));
    const row = table.split("\n").find((line) => line.startsWith(`| \`${field.path.at(-1)}\` |`));
    const said = row?.split("|").at(3)?.replaceAll(/[`, ]/g, "");
    const meant = field.key === "async" ? "sync" : String(field.fallback ?? "–");
    expect(said, `${section}.${field.path.at(-1)}`).toBe(meant);
  }
});

test("no two controls of a page have one name", () => {
  const words = en as Record<string, unknown>;
  const all = FIELDS.map((one) => words[`f_${one.key}`]);
  expect(new Set(all).size).toBe(all.length);
});

test("models are tried by priority; those without one come last, in the file's order", () => {
  expect(names(strategy(["x"], ["y", 2], ["z", 1], ["w"]))).toEqual(["p", "z", "y", "x", "w"]);
});

test("moving a fallback changes priorities alone, and keeps the house's own numbers", () => {
  const one = strategy(["x", 10], ["y", 20], ["z", 30]);
  expect(moved(one, 3, 1).map((change) => [change.path.join("."), change.value])).toEqual([
    ["model_strategy.fallback_models.2.priority", 10],
    ["model_strategy.fallback_models.0.priority", 20],
    ["model_strategy.fallback_models.1.priority", 30],
  ]);
});

test("every move of every model gives the order that the hand made", () => {
  const lists = [
    strategy(["x", 1], ["y", 2], ["z", 3]),
    strategy(["x"], ["y"], ["z"]),
    strategy(["x", 7], ["y"], ["z", 7]),
    strategy(["x", 3], ["y", 2], ["z", 1]),
  ];
  for (const one of lists) {
    const before = names(one);
    for (let from = 0; from < before.length; from += 1) {
      for (let to = 0; to < before.length; to += 1) {
        const wanted = [...before];
        wanted.splice(to, 0, ...wanted.splice(from, 1));
        expect(afterMove(one, from, to), `${from} to ${to} of ${before.join()}`).toEqual(wanted);
      }
    }
  }
});

test("where no priority is needed to change places, none is written", () => {
  const swapped = moved(strategy(["x"]), 1, 0);
  expect(swapped.map((change) => change.path.at(-1))).toEqual(["primary_model", "model"]);
});

test("another fallback is tried last; the first of all gets priority 1", () => {
  expect(appended(strategy(), "x")).toEqual({
    path: ["model_strategy", "fallback_models", 0],
    value: { model: "x", priority: 1 },
  });
  expect(appended(strategy(["x", 4]), "y").value).toEqual({ model: "y", priority: 5 });
  expect(appended(strategy(["x"]), "y").value).toEqual({ model: "y" });
  expect(removed(strategy(["x"]), 0).remove).toBe(true);
});

const RETRY = { max_retries: 3, backoff_multiplier: 2, jitter_enabled: true, base_seconds: 0.5, cap_seconds: 60 };

test("three attempts wait twice, each wait longer, and jitter only adds a tenth", () => {
  const { waits } = waitsOf(RETRY);
  expect(waits).toEqual([
    { least: 0.5, most: 0.55, capped: false },
    { least: 1, most: 1.1, capped: false },
  ]);
  expect(totalOf(waits).least).toBeCloseTo(1.5);
  expect(waitsOf({ ...RETRY, jitter_enabled: false }).waits[0]).toMatchObject({ least: 0.5, most: 0.5 });
});

test("the mission's walk: told 15 s, it waits 15 s, then 30 s", () => {
  const { waits } = waitsOf({ ...RETRY, jitter_enabled: false }, 15);
  expect(waits.map((one) => one.least)).toEqual([15, 30]);
});

test("a wait is cut at the cap, unless the provider named it: then the next model is tried", () => {
  const long = { ...RETRY, max_retries: 5, base_seconds: 40 };
  expect(waitsOf(long).waits.map((one) => one.most)).toEqual([44, 60, 60, 60]);
  const named = waitsOf(long, 40);
  expect([named.waits.length, named.refused]).toEqual([1, true]);
  expect(waitsOf({ ...RETRY, max_retries: 1 }).waits).toEqual([]);
});

test("a bucket lets its rush through, then what refills it; the slower bound decides", () => {
  const mission = bucketOf({ max_rpm: 3_000, bucket_capacity: 100, refill_rate: 5 });
  expect([mission.atOnce, mission.steady, mission.decides, mission.through?.[60]]).toEqual([100, 300, "burst", 400]);
  const wide = bucketOf({ max_rpm: 60, bucket_capacity: 100, refill_rate: 5 });
  expect([wide.atOnce, wide.steady, wide.decides]).toEqual([60, 60, "rpm"]);
  expect(bucketOf({ max_rpm: undefined, bucket_capacity: 5, refill_rate: undefined }).decides).toBe("none");
});
