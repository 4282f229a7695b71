import type { LiveSentence } from "~/api/contract";
import type { Format } from "~/i18n/format";
import type { OverviewWords } from "./words";

const KNOWN = [
  "no_worker",
  "database_away",
  "limited",
  "breaker_open",
  "queueing",
  "near_quota",
  "failing",
  "draining",
  "idle",
  "well",
] as const;

/** What is happening now, in words. A newer gate may say what this page does not know: then its code is shown. */
export function worded({ code, values }: LiveSentence, t: OverviewWords, format: Format): string {
  const known = KNOWN.find((one) => one === code);
  if (!known) return t("other", { code });
  return t(known, {
    ...values,
    n: Number(values.waiting ?? values.minutes ?? 0),
    wait: format.milliseconds(Number(values.wait_ms ?? 0)),
    percent: format.percent(
      values.permille === undefined ? Number(values.percent ?? 0) / 100 : Number(values.permille) / 1000,
    ),
    calls: format.number(Number(values.calls_per_second ?? 0), 1),
  });
}
