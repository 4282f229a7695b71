import { QueryClient } from "@tanstack/react-query";
import { ApiProblem } from "~/api/problem";

/** What the gate refused is not asked again; what it could not be reached for is. */
export function newQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        networkMode: "always", // the gate may be on this very machine
        retry: (count, error) => error instanceof ApiProblem && (error.unreachable || error.status >= 502) && count < 4,
        retryDelay: (count) => Math.min(500 * 2 ** count, 4_000),
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}
