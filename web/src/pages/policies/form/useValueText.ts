/** Numbers of fields as people read them: with their unit, durations as durations. */
import { useCallback } from "react";
import { useFormat } from "~/i18n/format";
import { choiceOf, unitOf, usePolicyWords } from "../words";
import type { Field, NumberField } from "./fields";

/** Shares are shown in per cent. */
export const shownOf = (field: NumberField, value: number) =>
  field.unit === "percent" ? Number((value * 100).toFixed(4)) : value;
export const valueOf = (field: NumberField, shown: number) =>
  field.unit === "percent" ? Number((shown / 100).toFixed(6)) : shown;

/** Whatever a file says, as text. */
export const plainText = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

export function useValueText() {
  const t = usePolicyWords();
  const format = useFormat();
  return useCallback(
    (field: Field, value: unknown): string => {
      if (value === undefined || value === null || value === "")
        return t(field.kind === "number" ? "no_bound" : "empty");
      if (field.kind === "check") return t(value === true ? "on" : "off");
      if (field.kind === "choice")
        return field.choices.includes(plainText(value)) ? t(choiceOf(plainText(value))) : plainText(value);
      if (field.kind === "text" || typeof value !== "number") return plainText(value);
      if (field.unit === "s") return format.milliseconds(value * 1000);
      if (field.unit === "ms") return format.milliseconds(value);
      const number = format.number(shownOf(field, value), 3);
      return `${number} ${t(unitOf(field.unit))}`.trim();
    },
    [t, format],
  );
}
