/** One field of one strategy: its value, whether it stands in the file, what is wrong with it, and how it is changed. */
import { useMemo } from "react";
import { dotted, valueAt } from "../draft/paths";
import { useEditing } from "../draft/usePolicy";
import type { Finding, Strategy } from "../types";
import type { Field } from "./fields";

export interface Control {
  /** As the file says it; undefined where it is left out. */
  raw: unknown;
  isSet: boolean;
  off: boolean;
  errors: Finding[];
  warnings: Finding[];
  write: (value: unknown) => void;
  reset: () => void;
}

export function useField(field: Field, strategy: Strategy): Control {
  const { draft, change, may } = useEditing();
  const place = useMemo(() => [...strategy.path, ...field.path], [strategy.path, field.path]);
  const name = dotted(place);
  const about = (all: readonly Finding[]) => all.filter((one) => one.field === name);
  const raw = valueAt(strategy, field.path) ?? undefined;
  return {
    raw,
    isSet: strategy.set.includes(field.path.join(".")),
    off: !may || draft.broken,
    errors: about(draft.errors),
    warnings: about(draft.warnings),
    write: (value) => change({ path: place, value }),
    reset: () => change({ path: place, remove: true }),
  };
}
