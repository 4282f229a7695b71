import { useFormat } from "~/i18n/format";
import { isFlag, measured } from "./measure";
import { useAlertWords, wordOf } from "./words";

interface Props {
  metric: string;
  value: number;
  threshold: number;
  unit: string;
}

/** A value beside the threshold that it is beyond. */
export function Reading({ metric, value, threshold, unit }: Props) {
  const t = useAlertWords();
  const format = useFormat();
  if (isFlag(metric)) return <strong>{wordOf(t, "flag", metric)}</strong>;
  return (
    <span>
      <strong>{measured(format, value, unit)}</strong>{" "}
      <span className="tg-soft">{t("of_threshold", { threshold: measured(format, threshold, unit) })}</span>
    </span>
  );
}
