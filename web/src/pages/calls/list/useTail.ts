import { useEffect, useState } from "react";
import type { Call } from "../types";
import { follow } from "./follow";
import { withNews } from "./rows";
import type { Filters } from "./wanted";

export interface Tail {
  rows: Call[];
  /** There were more than could be shown. */
  missed: boolean;
  error: unknown;
  begun: boolean;
}

const NOTHING: Tail = { rows: [], missed: false, error: undefined, begun: false };

/** Follows calls as they end. Other filters begin anew; a pause keeps the place, and what came meanwhile is caught up. */
export function useTail(filters: Filters, paused: boolean): Tail {
  const asked = JSON.stringify(filters);
  const [kept, setKept] = useState({ asked, tail: NOTHING });
  const [cursor] = useState(() => ({ asked: "", after: "" }));

  useEffect(() => {
    if (paused) return;
    if (cursor.asked !== asked) Object.assign(cursor, { asked, after: "" });
    return follow(JSON.parse(asked) as Filters, cursor.after, {
      tell: (news) => {
        const begins = cursor.after === "";
        cursor.after = news.next;
        setKept((now) => {
          const rows = begins || now.asked !== asked ? [] : now.tail.rows;
          return {
            asked,
            tail: { rows: withNews(rows, news.calls), missed: news.missed, error: undefined, begun: true },
          };
        });
      },
      fail: (error) => setKept((now) => ({ asked, tail: { ...(now.asked === asked ? now.tail : NOTHING), error } })),
    });
  }, [asked, paused, cursor]);

  return kept.asked === asked ? kept.tail : NOTHING;
}
