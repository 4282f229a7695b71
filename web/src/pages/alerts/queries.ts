/** What the pages of alerts ask for. */
import { useQuery } from "@tanstack/react-query";
import { type Answer, get } from "~/api/client";

export type Alert = Answer<"/alerts">[number];
export type AlertEvent = Answer<"/alerts/history">[number];
export type Notice = Answer<"/alerts/notices">[number];
export type Channel = Answer<"/alerts/channels">[number];
export type Silence = Answer<"/alerts/silences">[number];

export const useRules = () =>
  useQuery({ queryKey: ["alerts", "rules"], queryFn: ({ signal }) => get("/alerts/rules", { signal }) });

/** Metric and unit of a rule's name; events of rules that are gone have none. */
export function useMetricOf(): (rule: string) => { metric: string; unit: string } {
  const { data } = useRules();
  return (rule) => {
    const found = data?.find((one) => one.name === rule);
    return { metric: found?.metric ?? rule, unit: found?.unit ?? "" };
  };
}
