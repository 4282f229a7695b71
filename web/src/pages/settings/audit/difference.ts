/** What a change changed, field by field: pure. */

export interface Line {
  field: string;
  /** Undefined: it was not there. */
  before: string | undefined;
  after: string | undefined;
}

export interface Difference {
  lines: Line[];
  same: number;
}

type Leaves = Map<string, string>;
const MOST = 500;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function leavesOf(value: unknown, path: string, found: Leaves): Leaves {
  if (found.size >= MOST) return found;
  if (isRecord(value) && Object.keys(value).length > 0) {
    for (const [name, inner] of Object.entries(value)) leavesOf(inner, path ? `${path}.${name}` : name, found);
  } else if (path && value !== undefined) {
    found.set(path, typeof value === "string" ? value : JSON.stringify(value));
  }
  return found;
}

/** The innermost fields that differ, in the order in which they stand. */
export function differenceOf(before: unknown, after: unknown): Difference {
  const [old, now] = [leavesOf(before, "", new Map()), leavesOf(after, "", new Map())];
  const fields = [...new Set([...old.keys(), ...now.keys()])];
  const all = fields.map((field) => ({ field, before: old.get(field), after: now.get(field) }));
  const lines = all.filter((one) => one.before !== one.after);
  return { lines, same: all.length - lines.length };
}
