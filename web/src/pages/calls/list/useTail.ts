import { useEffect, useState } from "react";
import { get } from "~/api/client";
import type { Call } from "../types";
import { withNews } from "./rows";
import type { Filters } from "./wanted";

const EVERY_MS = 1_000;
const AWAY_MS = 3_000;
const AT_A_TIME = 200;

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
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    if (cursor.asked !== asked) Object.assign(cursor, { asked, after: "" });
    const look = async () => {
      let wait = EVERY_MS;
      try {
        const query = { ...(JSON.parse(asked) as Filters), limit: AT_A_TIME };
        const after = cursor.after ? { after: cursor.after } : {};
        const page = await get("/calls/tail", { query: { ...query, ...after }, signal: gone.signal });
        if (gone.signal.aborted) return;
        const begins = cursor.after === "";
        cursor.after = page.next;
        setKept((now) => {
          const rows = begins || now.asked !== asked ? [] : now.tail.rows;
          const tail = {
            rows: withNews(rows, page.calls),
            missed: page.missed,
            error: undefined,
            begun: true,
          };
          return { asked, tail };
        });
        if (page.calls.length >= AT_A_TIME) wait = 0;
      } catch (error) {
        if (gone.signal.aborted) return;
        wait = AWAY_MS;
        setKept((now) => ({ ...now, tail: { ...now.tail, error } }));
      }
      timer = setTimeout(() => void look(), wait);
    };
    void look();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [asked, paused, cursor]);

  return kept.asked === asked ? kept.tail : NOTHING;
}
