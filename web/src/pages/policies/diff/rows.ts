/** A difference as rows to show: what changed, a few lines around it, and how many are left out between. */
import { type Hunk, hunksOf, linesOf } from "./lines";

export type Row =
  | { kind: "same" | "added" | "removed"; before: number | undefined; after: number | undefined; text: string }
  | { kind: "gap"; many: number };

export interface Difference {
  rows: Row[];
  added: number;
  removed: number;
}

const AROUND = 3;

export function differenceOf(before: string, after: string, around = AROUND): Difference {
  const [one, other] = [linesOf(before), linesOf(after)];
  const hunks = hunksOf(one, other);
  const rows: Row[] = [];
  let [shown, added, removed] = [0, 0, 0];
  const same = (from: number, to: number, shift: number) => {
    for (let at = from; at < to; at += 1) {
      rows.push({ kind: "same", before: at + 1, after: at + 1 + shift, text: one[at] ?? "" });
    }
  };
  hunks.forEach((hunk, index) => {
    const from = Math.max(shown, hunk.from - around);
    if (from > shown) rows.push({ kind: "gap", many: from - shown });
    same(from, hunk.from, hunk.otherFrom - hunk.from);
    for (let at = hunk.from; at < hunk.to; at += 1) {
      rows.push({ kind: "removed", before: at + 1, after: undefined, text: one[at] ?? "" });
    }
    for (let at = hunk.otherFrom; at < hunk.otherTo; at += 1) {
      rows.push({ kind: "added", before: undefined, after: at + 1, text: other[at] ?? "" });
    }
    const end = Math.min(hunk.to + around, hunks[index + 1]?.from ?? one.length);
    same(hunk.to, end, hunk.otherTo - hunk.to);
    shown = end;
    added += hunk.otherTo - hunk.otherFrom;
    removed += hunk.to - hunk.from;
  });
  if (hunks.length && shown < one.length) rows.push({ kind: "gap", many: one.length - shown });
  return { rows, added, removed };
}

export type Side = Exclude<Row, { kind: "gap" }> | undefined;

/** For two columns: what was removed beside what was added in its place. */
export function pairsOf(rows: readonly Row[]): ([Side, Side] | { kind: "gap"; many: number })[] {
  const pairs: ([Side, Side] | { kind: "gap"; many: number })[] = [];
  let [left, right]: [Side[], Side[]] = [[], []];
  const flush = () => {
    for (let at = 0; at < Math.max(left.length, right.length); at += 1) pairs.push([left[at], right[at]]);
    [left, right] = [[], []];
  };
  for (const row of rows) {
    if (row.kind === "removed") left.push(row);
    else if (row.kind === "added") right.push(row);
    else {
      flush();
      pairs.push(row.kind === "gap" ? row : [row, row]);
    }
  }
  flush();
  return pairs;
}

/** Rows of a unified diff, as the gate keeps them with each version. */
export function rowsOfUnified(diff: string): Difference {
  const rows: Row[] = [];
  let [before, after, added, removed] = [1, 1, 0, 0];
  for (const line of diff.split("\n")) {
    const head = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
    const text = line.slice(1);
    if (head) {
      const start = Number(head[1]);
      if (start > before) rows.push({ kind: "gap", many: start - before });
      [before, after] = [start, Number(head[2])];
    } else if (line.startsWith("+") && !line.startsWith("+++ ")) {
      rows.push({ kind: "added", before: undefined, after, text });
      after += 1;
      added += 1;
    } else if (line.startsWith("-") && !line.startsWith("--- ")) {
      rows.push({ kind: "removed", before, after: undefined, text });
      before += 1;
      removed += 1;
    } else if (line.startsWith(" ")) {
      rows.push({ kind: "same", before, after, text });
      before += 1;
      after += 1;
    }
  }
  return { rows, added, removed };
}

export type { Hunk };
