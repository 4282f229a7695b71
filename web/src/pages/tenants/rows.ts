/** Namespaces beside what they spent, in their order. Pure. */
import type { Line, Namespace } from "./api";

export interface Row {
  of: Namespace;
  spent: string;
  calls: number;
}

/** Who spent most comes first; of those who spent the same, by name. */
export function ranked(namespaces: readonly Namespace[], lines: readonly Line[]): Row[] {
  const known = new Map(lines.map((line) => [line.namespace, line]));
  const rows = namespaces.map((of) => {
    const line = known.get(of.name);
    return { of, spent: line?.cost ?? "0", calls: line?.calls ?? 0 };
  });
  const order = new Intl.Collator();
  return rows.sort((a, b) => Number(b.spent) - Number(a.spent) || order.compare(a.of.name, b.of.name));
}

/** Those in whose name or tier every word stands. */
export function found(rows: readonly Row[], words: string): readonly Row[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return rows;
  return rows.filter(({ of }) => {
    const text = `${of.name} ${of.tier}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}
