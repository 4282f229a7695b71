/** What is asked of the admin API for tenants. */
import { useQuery } from "@tanstack/react-query";
import { type Answer, get } from "~/api/client";
import { midnight } from "./series";

export type Namespace = Answer<"/namespaces/{namespace}">;
export type User = Answer<"/namespaces/{namespace}/users">[number];
export type Key = Answer<"/namespaces/{namespace}/keys">[number];
export type Use = Answer<"/namespaces/{namespace}/use">[number];
export type Line = Answer<"/spend">["lines"][number];

const PART = 1_000;
const MOST = 50;

/** All parts of a list, one after the other. */
async function whole<T>(part: (offset: number) => Promise<T[]>): Promise<T[]> {
  const found: T[] = [];
  for (let count = 0; count < MOST; count += 1) {
    const some = await part(found.length);
    found.push(...some);
    if (some.length < PART) break;
  }
  return found;
}

export const useNamespaces = () =>
  useQuery({
    queryKey: ["tenants", "list"],
    queryFn: ({ signal }) => whole((offset) => get("/namespaces", { query: { offset, limit: PART }, signal })),
  });

/** By namespace, since this day began here. */
export const useSpentToday = () =>
  useQuery({
    queryKey: ["spend", "today"],
    refetchInterval: 15_000,
    queryFn: ({ signal }) => get("/spend", { query: { by: ["namespace"], since: midnight().toISOString() }, signal }),
  });

export const useNamespace = (namespace: string) =>
  useQuery({
    queryKey: ["tenants", namespace],
    queryFn: ({ signal }) => get("/namespaces/{namespace}", { path: { namespace }, signal }),
  });

export const useUse = (namespace: string) =>
  useQuery({
    queryKey: ["tenants", namespace, "use"],
    refetchInterval: 5_000,
    queryFn: ({ signal }) => get("/namespaces/{namespace}/use", { path: { namespace }, signal }),
  });

export const useUsers = (namespace: string) =>
  useQuery({
    queryKey: ["tenants", namespace, "users"],
    queryFn: ({ signal }) =>
      whole((offset) =>
        get("/namespaces/{namespace}/users", { path: { namespace }, query: { offset, limit: PART }, signal }),
      ),
  });

export const useKeys = (namespace: string) =>
  useQuery({
    queryKey: ["tenants", namespace, "keys"],
    queryFn: ({ signal }) =>
      whole((offset) =>
        get("/namespaces/{namespace}/keys", { path: { namespace }, query: { offset, limit: PART }, signal }),
      ),
  });

export const useMonth = (namespace: string, zone: string) =>
  useQuery({
    queryKey: ["tenants", namespace, "month", zone],
    refetchInterval: 60_000,
    queryFn: ({ signal }) => get("/spend/month", { query: { namespace, zone }, signal }),
  });
