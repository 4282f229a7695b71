/** Calls as they end: a stream, and where it breaks the same by question and answer until it is there again. */
import { type Answer, addressOf, get } from "~/api/client";
import type { Filters } from "./wanted";

export type News = Answer<"/calls/tail">;
export interface Follower {
  /** What ended since the news before; at first the last few. */
  tell: (news: News) => void;
  /** Why nothing is told now: an `ApiProblem`. It goes on by itself. */
  fail: (problem: unknown) => void;
}

export const AT_A_TIME = 200;
const SILENT_MS = 15_000; // the gate says every five seconds that there is nothing
const AGAIN_MS = [500, 1_000, 2_000, 4_000];

/** Follows from `after` on, a `next` of the gate's; empty: from now on. Answers with how to stop. */
export function follow(filters: Filters, after: string, { tell, fail }: Follower): () => void {
  const gone = new AbortController();
  let next = after;
  let tries = 0;
  let timer: ReturnType<typeof setTimeout>;
  let source: EventSource | undefined;
  const query = () => ({ ...filters, limit: AT_A_TIME, ...(next ? { after: next } : {}) });

  const take = (news: News) => {
    next = news.next;
    tell(news);
  };
  const wait = (delay: number, then: () => void) => {
    clearTimeout(timer);
    timer = setTimeout(then, delay);
  };
  const close = () => {
    source?.close();
    source = undefined;
  };
  const open = () => {
    const mine = new EventSource(addressOf("/calls/stream", { query: query() }));
    source = mine;
    const over = () => {
      if (source === mine) void again();
    };
    mine.addEventListener("calls", (event: MessageEvent<string>) => {
      if (source !== mine) return;
      tries = 0;
      take(JSON.parse(event.data) as News);
      wait(SILENT_MS, over);
    });
    mine.addEventListener("end", over);
    mine.addEventListener("error", over);
    wait(SILENT_MS, over);
  };
  /** A stream tells no status: the same question, asked once, says why, and waits for another session if need be. */
  const again = async () => {
    close();
    clearTimeout(timer);
    try {
      const news = await get("/calls/tail", { query: query(), signal: gone.signal });
      if (!gone.signal.aborted) take(news);
    } catch (problem) {
      if (!gone.signal.aborted) fail(problem);
    }
    if (gone.signal.aborted) return;
    wait(AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)] ?? 0, open);
    tries += 1;
  };

  open();
  return () => {
    gone.abort();
    clearTimeout(timer);
    close();
  };
}
