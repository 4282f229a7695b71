/** Values of metrics in their units, and what rules mean in words: pure. */
import type { Answer } from "~/api/client";
import type { Format } from "~/i18n/format";
import { type AlertWords, wordOf } from "./words";

export type Rule = Answer<"/alerts/rules">[number];

/** Metrics that say yes or no: a figure would say nothing. */
const FLAGS: ReadonlySet<string> = new Set(["drill_failed", "drill_expired"]);
export const isFlag = (metric: string) => FLAGS.has(metric);

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** A value with its unit: 4.6 s, 93.5%, 64 MiB, 3. */
export function measured(format: Format, value: number, unit: string): string {
  if (unit === "ms") return format.milliseconds(value);
  if (unit === "s") return format.milliseconds(value * 1000);
  if (unit === "%") return format.percent(value / 100, Math.abs(value) < 10 ? 2 : 1);
  if (unit === "bytes") {
    const step = Math.min(SIZES.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, value)) / 10)));
    return `${format.number(value / 1024 ** step, 1)} ${SIZES[step] ?? ""}`;
  }
  return format.number(value, 2);
}

/** Where a threshold's alert ends: the gate's own arithmetic. */
export function clearsAt(rule: Pick<Rule, "below" | "clear_percent">, threshold: number): number {
  return rule.below ? (threshold * 100) / rule.clear_percent : (threshold * rule.clear_percent) / 100;
}

/** What a rule means: whose value is watched, when somebody is told, and when it is over. */
export function meaningOf(t: AlertWords, format: Format, rule: Rule): string {
  const metric = wordOf(t, "metric", rule.metric);
  const lasts = (seconds: number) => format.milliseconds(seconds * 1000);
  const levels = [
    ["warning", rule.warning],
    ["critical", rule.critical],
  ] as const;
  const given = levels.flatMap(([severity, at]) => (at === undefined || at === null ? [] : [{ severity, at }]));
  const mildest = given.at(0);
  if (!mildest) return t("meaning_never", { metric });
  const said = given.map(({ severity, at }) => {
    const word = t(severity);
    if (isFlag(rule.metric)) return t("meaning_flag", { severity: word });
    return t(rule.below ? "meaning_below" : "meaning_above", {
      severity: word,
      value: measured(format, at, rule.unit),
    });
  });
  const whose = Object.entries(rule.match).map(([name, value]) => `${wordOf(t, "label", name)} ${value}`);
  const parts = [
    t("meaning_metric", { metric }) + (whose.length ? t("meaning_match", { labels: whose.join(t("comma")) }) : ""),
    said.join(t("comma")) + (rule.for_seconds > 0 ? t("meaning_for", { time: lasts(rule.for_seconds) }) : ""),
  ];
  const calm = lasts(rule.clear_seconds);
  if (isFlag(rule.metric)) parts.push(t("meaning_flag_over", { time: calm }));
  else {
    const value = measured(format, clearsAt(rule, mildest.at), rule.unit);
    parts.push(t(rule.below ? "meaning_over_below" : "meaning_over_above", { value, time: calm }));
  }
  return parts.join(t("stop"));
}
