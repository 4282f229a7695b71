/** The one piece in which two texts differ: what undo keeps, and what an editor is told. */

export interface Splice {
  at: number;
  removed: string;
  inserted: string;
}

/** O(text), without a copy of it. */
export function spliceOf(before: string, after: string): Splice {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before.charCodeAt(head) === after.charCodeAt(head)) head += 1;
  let tail = 0;
  while (
    tail < most - head &&
    before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)
  ) {
    tail += 1;
  }
  return {
    at: head,
    removed: before.slice(head, before.length - tail),
    inserted: after.slice(head, after.length - tail),
  };
}

export const spliced = (text: string, { at, removed, inserted }: Splice) =>
  text.slice(0, at) + inserted + text.slice(at + removed.length);

export const reversed = ({ at, removed, inserted }: Splice): Splice => ({ at, removed: inserted, inserted: removed });
