import { Group, TextInput } from "@mantine/core";
import { useSearchParams } from "react-router";
import { Range, SPAN_S, type Span } from "~/parts/Range";
import { useCallWords } from "../words";
import { type Period as Chosen, periodOf } from "./wanted";

/** As a field of a moment writes it: local, to the second. */
export function asLocal(moment: string | null): string {
  const date = new Date(moment ?? "");
  if (Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** When the calls ended that are looked for. */
export function Period() {
  const t = useCallWords();
  const [params, setParams] = useSearchParams();
  const period = periodOf(params);
  const set = (changes: Record<string, string>) =>
    setParams(
      (now) => {
        const next = new URLSearchParams(now);
        for (const [name, value] of Object.entries(changes)) {
          if (value) next.set(name, value);
          else next.delete(name);
        }
        return next;
      },
      { replace: true },
    );
  const choose = (chosen: Chosen) => {
    if (chosen !== "own") return set({ period: chosen, since: "", until: "" });
    const from = period === "own" ? 86_400 : SPAN_S[period];
    return set({
      period: "",
      since: new Date(Date.now() - from * 1000).toISOString(),
      until: new Date().toISOString(),
    });
  };
  const spans = (["1h", "24h", "7d", "30d"] as const satisfies readonly Span[]).map((one) => ({
    value: one,
    label: t(`span_${one}`),
  }));
  return (
    <Group gap="sm" align="flex-end">
      <Range<Chosen> value={period} onChange={choose} choices={[...spans, { value: "own", label: t("span_own") }]} />
      {period === "own"
        ? (["since", "until"] as const).map((name) => (
            <TextInput
              key={name}
              type="datetime-local"
              step={1}
              size="xs"
              label={t(name)}
              value={asLocal(params.get(name))}
              onChange={(event) => {
                const at = new Date(event.target.value);
                set({ [name]: Number.isNaN(at.getTime()) ? "" : at.toISOString() });
              }}
            />
          ))
        : null}
    </Group>
  );
}
