import { useQuery } from "@tanstack/react-query";
import { get } from "~/api/client";

/** The house currency; "" until the gate has told. */
export function useCurrency(): string {
  const { data } = useQuery({
    queryKey: ["currency"],
    staleTime: Infinity,
    queryFn: ({ signal }) =>
      get("/spend", { query: { since: new Date(Date.now() - 60_000).toISOString() }, signal }) as Promise<{
        currency: string;
      }>,
  });
  return data?.currency ?? "";
}
