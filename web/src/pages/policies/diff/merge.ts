/** Two people's changes of one text, brought together line by line; where both changed the same lines, one has to choose. */
import { type Hunk, hunksOf, linesOf } from "./lines";

export type Piece =
  { kind: "agreed"; lines: string[] } | { kind: "conflict"; base: string[]; mine: string[]; theirs: string[] };

interface Change extends Hunk {
  mine: boolean;
}

/** Agreed pieces and conflicts, in order. What both changed alike is agreed. */
export function merged(base: string, mine: string, theirs: string): Piece[] {
  const [lines, ours, others] = [linesOf(base), linesOf(mine), linesOf(theirs)];
  const changes: Change[] = [
    ...hunksOf(lines, ours).map((hunk) => ({ ...hunk, mine: true })),
    ...hunksOf(lines, others).map((hunk) => ({ ...hunk, mine: false })),
  ].sort((a, b) => a.from - b.from || a.to - b.to);
  const pieces: Piece[] = [];
  const agreed = (more: readonly string[]) => {
    const last = pieces.at(-1);
    if (last?.kind === "agreed") last.lines.push(...more);
    else if (more.length) pieces.push({ kind: "agreed", lines: [...more] });
  };
  let at = 0;
  for (let index = 0; index < changes.length;) {
    const first = changes[index] as Change;
    const group = [first];
    let end = first.to;
    for (index += 1; index < changes.length && touches(changes[index] as Change, first.from, end); index += 1) {
      group.push(changes[index] as Change);
      end = Math.max(end, (changes[index] as Change).to);
    }
    agreed(lines.slice(at, first.from));
    const said = { from: first.from, to: end };
    const [left, right] = [side(lines, ours, group, true, said), side(lines, others, group, false, said)];
    const both = group.some((one) => one.mine) && group.some((one) => !one.mine);
    if (!both) agreed(first.mine ? left : right);
    else if (left.join("\n") === right.join("\n")) agreed(left);
    else pieces.push({ kind: "conflict", base: lines.slice(first.from, end), mine: left, theirs: right });
    at = end;
  }
  agreed(lines.slice(at));
  return pieces;
}

/** Neighbouring lines of YAML are changed apart; what both put in at one place depends on the order. */
function touches(next: Change, from: number, end: number): boolean {
  return next.from < end || (next.from === from && next.to === from && end === from);
}

/** What one side makes of the base's lines `from` to `to`. */
function side(
  base: readonly string[],
  text: readonly string[],
  group: readonly Change[],
  mine: boolean,
  { from, to }: { from: number; to: number },
): string[] {
  const made: string[] = [];
  let at = from;
  for (const one of group) {
    if (one.mine !== mine) continue;
    made.push(...base.slice(at, one.from), ...text.slice(one.otherFrom, one.otherTo));
    at = one.to;
  }
  return [...made, ...base.slice(at, to)];
}

/** The text, when it is said for each conflict whose lines are taken. */
export function mergedText(pieces: readonly Piece[], choices: readonly ("mine" | "theirs")[]): string {
  let conflict = 0;
  return pieces
    .flatMap((piece) => {
      if (piece.kind === "agreed") return piece.lines;
      const choice = choices[conflict] ?? "mine";
      conflict += 1;
      return piece[choice];
    })
    .join("\n");
}

export const conflictsOf = (pieces: readonly Piece[]) => pieces.filter((one) => one.kind === "conflict");
