/** One quota's last hour or day, minute by minute, out of the ledger. */
import { useQuery } from "@tanstack/react-query";
import { type Answer, get } from "~/api/client";
import type { LiveLane } from "~/api/contract";
import { laneKey } from "~/api/live";

export type Span = "live" | "1h" | "24h";
const SECONDS = { "1h": 3_600, "24h": 86_400 } as const;
const MINUTE = 60;

export interface Series {
  times: number[];
  values: (number | null)[];
  limits: (number | null)[];
  /** Of the values, what calls in flight held; left out: it is not known, or is none. */
  reserved?: readonly (number | null)[];
  /** What the provider said, where it says another limit than the file. */
  learned?: readonly (number | null)[];
}

export interface History {
  tokens: Series;
  requests: Series;
}

type Point = Exclude<Answer<"/usage/series">, undefined>["points"][number];

/** A point for each minute: in one that the ledger leaves out nothing was used, and the limit stayed as it was. */
export function minutes(points: readonly Point[], from: number, to: number): History {
  const known = new Map(points.map((one) => [Math.floor(Date.parse(one.at) / 1000 / MINUTE), one]));
  const [first, last] = [Math.ceil(from / MINUTE), Math.floor(to / MINUTE)];
  const times = Array.from({ length: Math.max(0, last - first) }, (_, index) => (first + index) * MINUTE);
  const series = (value: (point: Point) => number, limit: (point: Point) => number | null | undefined): Series => {
    let standing: number | null = points.map(limit).find((one) => one !== undefined) ?? null;
    const values: number[] = [];
    const limits = times.map((at) => {
      const point = known.get(at / MINUTE);
      values.push(point ? value(point) : 0);
      if (point) standing = limit(point) ?? standing;
      return standing;
    });
    return { times, values, limits };
  };
  return {
    tokens: series(
      (one) => one.charged_tokens,
      (one) => one.tpm,
    ),
    requests: series(
      (one) => one.attempts,
      (one) => one.rpm,
    ),
  };
}

export function useHistory(lane: LiveLane, span: Span) {
  return useQuery({
    queryKey: ["usage", laneKey(lane), span],
    refetchInterval: 60_000,
    queryFn: async ({ signal }) => {
      const to = Date.now() / 1000;
      const from = to - (span === "24h" ? SECONDS["24h"] : SECONDS["1h"]);
      const { provider, scope, model } = lane;
      const since = new Date(from * 1000).toISOString();
      const found = await get("/usage/series", { query: { by: "minute", since, provider, scope, model }, signal });
      return minutes(found.points, from, to);
    },
  });
}
