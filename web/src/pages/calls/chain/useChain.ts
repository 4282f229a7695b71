import { useQuery } from "@tanstack/react-query";
import { get } from "~/api/client";
import { ApiProblem } from "~/api/problem";
import type { Chain } from "../types";

const AGAIN_MS = 500;

export const isAbsent = (error: unknown) => error instanceof ApiProblem && error.status === 404;

/** A call's chain. `patient`: it has ended just now and is known in a moment, so it is asked for so often again. */
export function useChain(call: string, patient = 0) {
  return useQuery<Chain>({
    queryKey: ["calls", "one", call],
    enabled: call !== "",
    staleTime: Infinity,
    retry: (count, error) => isAbsent(error) && count < patient,
    retryDelay: AGAIN_MS,
    queryFn: ({ signal }) => get("/calls/{call}", { path: { call: call as unknown as number }, signal }),
  });
}
