/** How two texts differ, line by line, by Myers' algorithm; beyond a bound what differs is one piece. */

/** Lines `from` to `to` (not itself) of the one text are lines `otherFrom` to `otherTo` of the other. */
export interface Hunk {
  from: number;
  to: number;
  otherFrom: number;
  otherTo: number;
}

const MOST = 2_000; // differences that are looked for: its square is what it takes

export const linesOf = (text: string) => text.split("\n");

/** Pieces that differ, in order. O(lines + differences²), differences bounded. */
export function hunksOf(one: readonly string[], other: readonly string[]): Hunk[] {
  let head = 0;
  const most = Math.min(one.length, other.length);
  while (head < most && one[head] === other[head]) head += 1;
  let tail = 0;
  while (tail < most - head && one[one.length - 1 - tail] === other[other.length - 1 - tail]) tail += 1;
  const [a, b] = [one.slice(head, one.length - tail), other.slice(head, other.length - tail)];
  if (!a.length && !b.length) return [];
  const found = a.length && b.length ? myers(a, b) : undefined;
  const whole = [{ from: 0, to: a.length, otherFrom: 0, otherTo: b.length }];
  return (found ?? whole).map((hunk) => ({
    from: hunk.from + head,
    to: hunk.to + head,
    otherFrom: hunk.otherFrom + head,
    otherTo: hunk.otherTo + head,
  }));
}

/** Undefined: they differ too much. */
function myers(a: readonly string[], b: readonly string[]): Hunk[] | undefined {
  const bound = Math.min(MOST, a.length + b.length);
  const trace: Int32Array[] = [];
  let reach = new Int32Array(2 * bound + 3);
  const middle = bound + 1;
  for (let depth = 0; depth <= bound; depth += 1) {
    trace.push(reach.slice(middle - depth - 1, middle + depth + 2));
    const next = reach.slice();
    for (let k = -depth; k <= depth; k += 2) {
      const down = k === -depth || (k !== depth && at(reach, middle + k - 1) < at(reach, middle + k + 1));
      let x = down ? at(reach, middle + k + 1) : at(reach, middle + k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      next[middle + k] = x;
      if (x >= a.length && x - k >= b.length) return walked(trace, a.length, b.length, depth);
    }
    reach = next;
  }
  return undefined;
}

const at = (reach: Int32Array, index: number) => reach[index] as number;

function walked(trace: readonly Int32Array[], endX: number, endY: number, depth: number): Hunk[] {
  const hunks: Hunk[] = [];
  let [x, y] = [endX, endY];
  for (let d = depth; d > 0; d -= 1) {
    const reach = trace[d] as Int32Array; // of depth d, its middle at d + 1
    const k = x - y;
    const down = k === -d || (k !== d && at(reach, d + 1 + k - 1) < at(reach, d + 1 + k + 1));
    const before = down ? k + 1 : k - 1;
    const fromX = at(reach, d + 1 + before);
    const fromY = fromX - before;
    const last = hunks[0];
    const [toX, toY] = down ? [fromX, fromY + 1] : [fromX + 1, fromY];
    if (last && last.from === toX && last.otherFrom === toY) {
      last.from = fromX;
      last.otherFrom = fromY;
    } else {
      hunks.unshift({ from: fromX, to: toX, otherFrom: fromY, otherTo: toY });
    }
    [x, y] = [fromX, fromY];
  }
  return hunks;
}
