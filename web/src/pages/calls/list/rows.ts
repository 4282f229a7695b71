/** The calls of a tail: the newest first, none twice, and never more than a page can bear. */
import type { Call } from "../types";

export const MOST = 500;

/** `news` is as the gate tells it: the oldest first. O(news + rows). */
export function withNews(rows: readonly Call[], news: readonly Call[], most = MOST): Call[] {
  const known = new Set(rows.map((one) => one.id));
  const fresh = news.filter((one) => !known.has(one.id)).reverse();
  return fresh.length === 0 ? rows.slice(0, most) : [...fresh, ...rows].slice(0, most);
}
