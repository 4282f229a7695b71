import { SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";
import { useSearchParams } from "react-router";
import classes from "./jobs.module.css";
import type { State } from "./StateBadge";
import { useJobWords } from "./words";

export const FIELDS = ["namespace", "model", "tag", "batch"] as const;
type Field = (typeof FIELDS)[number];
const STATES: readonly State[] = ["queued", "running", "done", "failed", "dead", "cancelled"];

export interface Wanted {
  state: State[];
  namespace?: string;
  model?: string;
  tag?: string;
  batch?: string;
}

/** What the address asks for. */
export function wantedOf(params: URLSearchParams): Wanted {
  const state = STATES.filter((one) => one === params.get("state"));
  const fields = FIELDS.map((name) => [name, params.get(name)?.trim()]).filter(([, value]) => value);
  return { state, ...(Object.fromEntries(fields) as Partial<Record<Field, string>>) };
}

/** Which jobs are listed; the address holds it, so that it can be sent to somebody. */
export function Filters() {
  const t = useJobWords();
  const [params, setParams] = useSearchParams();
  const set = (name: string, value: string) =>
    setParams(
      (now) => {
        const next = new URLSearchParams(now);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  const data = [{ value: "", label: t("all") }, ...STATES.map((one) => ({ value: one, label: wordOf(t, one) }))];
  return (
    <div className={classes.filters}>
      <SegmentedControl
        aria-label={t("state")}
        size="xs"
        data={data}
        value={params.get("state") ?? ""}
        onChange={(value) => set("state", value)}
      />
      {FIELDS.map((name) => (
        <FilterText key={name} label={t(name)} value={params.get(name) ?? ""} onChange={(value) => set(name, value)} />
      ))}
    </div>
  );
}

function wordOf(t: ReturnType<typeof useJobWords>, state: State): string {
  return t(state === "running" ? "running_state" : state);
}

function FilterText({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  const tell = useDebouncedCallback(onChange, 300);
  return (
    <TextInput
      size="xs"
      label={label}
      value={typed}
      onChange={(event) => {
        setTyped(event.target.value);
        tell(event.target.value);
      }}
    />
  );
}
