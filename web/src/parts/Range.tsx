import { SegmentedControl } from "@mantine/core";
import { PARTS } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";

export type Span = "1h" | "24h" | "7d" | "30d";
export const SPAN_S: Readonly<Record<Span, number>> = { "1h": 3_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000 };

/** When a period of this length began. */
export const sinceOf = (span: Span, now = new Date()) => new Date(now.getTime() - SPAN_S[span] * 1000).toISOString();

interface Props<T extends string> {
  value: T;
  onChange: (value: T) => void;
  /** Others than the four usual ones, with their names. */
  choices?: ReadonlyArray<{ value: T; label: string }>;
}

/** Which period is shown. */
export function Range<T extends string = Span>({ value, onChange, choices }: Props<T>) {
  const t = useWords(PARTS);
  const usual = (Object.keys(SPAN_S) as Span[]).map((one) => ({ value: one, label: t(`range_${one}`) }));
  const data: { value: string; label: string }[] = choices ? [...choices] : usual;
  return (
    <SegmentedControl
      aria-label={t("range")}
      size="xs"
      value={value}
      onChange={(next) => onChange(next as T)}
      data={data}
    />
  );
}
