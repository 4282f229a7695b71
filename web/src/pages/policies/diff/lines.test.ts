import { expect, test } from "vitest";
import { hunksOf, linesOf } from "./lines";
import { conflictsOf, merged, mergedText } from "./merge";
import { differenceOf, pairsOf, rowsOfUnified } from "./rows";

const letters = (word: string) => word.split("").join("\n");

/** The other text, made of the one and the hunks. */
function replayed(one: string, other: string): string {
  const [a, b] = [linesOf(one), linesOf(other)];
  const made: string[] = [];
  let at = 0;
  for (const hunk of hunksOf(a, b)) {
    made.push(...a.slice(at, hunk.from), ...b.slice(hunk.otherFrom, hunk.otherTo));
    at = hunk.to;
  }
  return [...made, ...a.slice(at)].join("\n");
}

function random(seed: number) {
  let state = seed;
  return (most: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * most);
  };
}

const drawn = (next: (most: number) => number) => Array.from({ length: next(12) }, () => "abc"[next(3)]).join("\n");

test("hunks make the other text of the one, for any two texts, and are as few lines as can be", () => {
  const next = random(7);
  for (let round = 0; round < 3_000; round += 1) {
    const [one, other] = [drawn(next), drawn(next)];
    expect(replayed(one, other)).toBe(other);
    const [a, b] = [linesOf(one), linesOf(other)];
    const cost = hunksOf(a, b).reduce((sum, hunk) => sum + hunk.to - hunk.from + hunk.otherTo - hunk.otherFrom, 0);
    expect(cost).toBe(a.length + b.length - 2 * common(a, b));
  }
});

function common(a: string[], b: string[]): number {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  a.forEach((x, i) => {
    b.forEach((y, j) => {
      const [row, next] = [table[i] ?? [], table[i + 1] ?? []];
      next[j + 1] = x === y ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0);
    });
  });
  return table[a.length]?.[b.length] ?? 0;
}

test("texts of a megabyte that have nothing in common are told apart at once, as one piece", () => {
  const one = Array.from({ length: 20_000 }, (_, at) => `a${at}`);
  const other = Array.from({ length: 20_000 }, (_, at) => `b${at}`);
  expect(hunksOf(one, other)).toEqual([{ from: 0, to: 20_000, otherFrom: 0, otherTo: 20_000 }]);
});

test("a difference shows what changed with three lines around it, and counts what it leaves out", () => {
  const before = letters("abcdefghij");
  const found = differenceOf(before, before.replace("f", "F\nG"));
  expect(found.rows.map((row) => (row.kind === "gap" ? `…${row.many}` : `${row.kind[0]}${row.text}`))).toEqual([
    "…2",
    "sc",
    "sd",
    "se",
    "rf",
    "aF",
    "aG",
    "sg",
    "sh",
    "si",
    "…1",
  ]);
  expect([found.added, found.removed]).toEqual([2, 1]);
  expect(found.rows.at(-2)).toMatchObject({ before: 9, after: 10 });
});

test("in two columns what was removed stands beside what took its place", () => {
  const pairs = pairsOf(differenceOf("a\nb\nc", "a\nB\nX\nc").rows);
  expect(pairs.map((pair) => (Array.isArray(pair) ? pair.map((side) => side?.text) : "gap"))).toEqual([
    ["a", "a"],
    ["b", "B"],
    [undefined, "X"],
    ["c", "c"],
  ]);
});

test("a unified diff is read with the numbers of its lines", () => {
  const found = rowsOfUnified("@@ -4,3 +4,3 @@\n c\n-d\n+D\n e\n");
  expect(found.rows).toEqual([
    { kind: "gap", many: 3 },
    { kind: "same", before: 4, after: 4, text: "c" },
    { kind: "removed", before: 5, after: undefined, text: "d" },
    { kind: "added", before: undefined, after: 5, text: "D" },
    { kind: "same", before: 6, after: 6, text: "e" },
  ]);
});

test("changes of different lines are both kept", () => {
  const pieces = merged(letters("abcdef"), letters("aBcdef"), letters("abcdeFg"));
  expect(conflictsOf(pieces)).toEqual([]);
  expect(mergedText(pieces, [])).toBe(letters("aBcdeFg"));
});

test("changes of neighbouring lines are both kept", () => {
  const pieces = merged("rpm: 1\ntpm: 1\n", "rpm: 2\ntpm: 1\n", "rpm: 1\ntpm: 3\n");
  expect(mergedText(pieces, [])).toBe("rpm: 2\ntpm: 3\n");
  expect(conflictsOf(pieces)).toEqual([]);
});

test("changes of the same line are a conflict, and the reader says whose is taken", () => {
  const pieces = merged("a\nb\nc", "a\nmine\nc", "a\ntheirs\nc");
  expect(conflictsOf(pieces)).toEqual([{ kind: "conflict", base: ["b"], mine: ["mine"], theirs: ["theirs"] }]);
  expect(mergedText(pieces, ["theirs"])).toBe("a\ntheirs\nc");
  expect(mergedText(pieces, ["mine"])).toBe("a\nmine\nc");
});

test("both adding at the same place is a conflict; both making the same change is none", () => {
  expect(conflictsOf(merged("a\nb", "a\nx\nb", "a\ny\nb"))).toHaveLength(1);
  expect(conflictsOf(merged("a\nb", "a\nx\nb", "a\nx\nb"))).toEqual([]);
});

test("whatever two people do, taking one side everywhere is that side's text where only it changed something", () => {
  const next = random(11);
  for (let round = 0; round < 2_000; round += 1) {
    const [base, mine, theirs] = [drawn(next), drawn(next), drawn(next)];
    expect(mergedText(merged(base, mine, base), [])).toBe(mine);
    expect(mergedText(merged(base, base, theirs), [])).toBe(theirs);
    const pieces = merged(base, mine, theirs);
    const every = conflictsOf(pieces).map(() => "mine" as const);
    const conflicts = pieces.some((one) => one.kind === "conflict");
    if (!conflicts) expect(mergedText(merged(base, theirs, mine), every)).toBe(mergedText(pieces, every));
  }
});
