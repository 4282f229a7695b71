import { useQuery } from "@tanstack/react-query";
import { askJson, get } from "~/api/client";
import { useMay } from "~/parts/Needs";

interface Told {
  form?: { strategies: { name: string }[]; models: string[] } | null;
}

/** Names that may stand as the model: strategies, then models; empty where the role may not see them. */
export function useModels(): { strategies: string[]; models: string[] } {
  const may = useMay("see_policy");
  const { data } = useQuery({
    queryKey: ["playground", "models"],
    enabled: may,
    staleTime: 60_000,
    queryFn: ({ signal }) => askJson<Told>("get", "/policy", { signal }),
  });
  const strategies = [...new Set((data?.form?.strategies ?? []).map((one) => one.name))];
  const models = [...new Set(data?.form?.models ?? [])].filter((one) => !strategies.includes(one));
  return { strategies, models };
}

export function useNamespaces(): string[] {
  const may = useMay("see_namespaces");
  const { data } = useQuery({
    queryKey: ["playground", "namespaces"],
    enabled: may,
    staleTime: 60_000,
    queryFn: ({ signal }) => get("/namespaces", { query: { limit: 1000 }, signal }),
  });
  return (data ?? []).map((one) => one.name);
}

/** Where applications reach the gate, as well as this page can know: this host, by the port of its workers. */
export function useBase(): string {
  const may = useMay("status");
  const { data } = useQuery({
    queryKey: ["playground", "base"],
    enabled: may,
    staleTime: Infinity,
    queryFn: ({ signal }) => get("/status", { signal }),
  });
  const port = data?.workers.find((one) => !one.namespace)?.port || 8080;
  return `${window.location.protocol}//${window.location.hostname}:${port}`;
}
