import { useFormat } from "~/i18n/format";
import { valueAt } from "../draft/paths";
import type { Strategy } from "../types";
import { usePolicyWords } from "../words";
import { type Backoff, totalOf, type Wait, waitsOf } from "./backoff";
import { RETRIES, RETRIES_MORE } from "./fields";
import classes from "./form.module.css";

const NAMED_S = 15; // what a provider often says in `Retry-After`
const [WIDTH, HEIGHT, BAR] = [220, 64, 14];

/** The strategy's numbers, defaults in the place of what is wrong or left out. */
function policyOf(strategy: Strategy): Backoff {
  const number = (key: string) => {
    const field = [...RETRIES, ...RETRIES_MORE].find((one) => one.key === key);
    const value = field && valueAt(strategy, field.path);
    return typeof value === "number" ? value : Number(field?.fallback);
  };
  return {
    max_retries: number("max_retries"),
    backoff_multiplier: number("backoff_multiplier"),
    base_seconds: number("base_seconds"),
    cap_seconds: number("cap_seconds"),
    jitter_enabled: valueAt(strategy, ["retry_policy", "jitter_enabled"]) !== false,
  };
}

/** What retries with back-off and jitter come to: bars of waits, their uncertain part lighter, and the same in words. */
export function BackoffPicture({ strategy }: { strategy: Strategy }) {
  const t = usePolicyWords();
  const { milliseconds } = useFormat();
  const policy = policyOf(strategy);
  const { waits, more } = waitsOf(policy);
  if (!waits.length) return <div className={classes.picture}>{t("backoff_none")}</div>;
  const named = waitsOf(policy, NAMED_S);
  const seconds = (value: number) => milliseconds(value * 1000);
  const span = ({ least, most }: { least: number; most: number }) =>
    most - least > 1e-9 ? `${seconds(least)}–${seconds(most)}` : seconds(least);
  const all = (list: readonly Wait[], extra: string[] = []) => [...list.map(span), ...extra].join(", ");
  const words = all(waits, more ? [t("backoff_more", { n: more })] : []);
  const rest = all(named.waits, named.refused ? [t("backoff_named_next")] : []);
  return (
    <div className={classes.picture}>
      <Bars waits={waits} label={t("backoff_picture", { waits: words })} />
      <div className={classes.words}>
        <p>{t("backoff_text", { waits: words, total: span(totalOf(waits)) })}</p>
        <p className="tg-soft">{t("backoff_named", { named: seconds(NAMED_S), waits: rest })}</p>
      </div>
    </div>
  );
}

function Bars({ waits, label }: { waits: readonly Wait[]; label: string }) {
  const top = Math.max(...waits.map((one) => one.most));
  const step = Math.min(40, WIDTH / waits.length);
  const high = (value: number) => Math.max(1.5, (value / top) * (HEIGHT - 6));
  return (
    <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <line x1={0} x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} stroke="var(--tg-line)" />
      {waits.map((wait, at) => (
        <g key={`${at} ${wait.most}`}>
          <rect
            x={at * step + 6}
            y={HEIGHT - 1 - high(wait.most)}
            width={BAR}
            height={high(wait.most)}
            rx={2}
            fill="var(--tg-curve)"
            opacity={0.35}
          />
          <rect
            x={at * step + 6}
            y={HEIGHT - 1 - high(wait.least)}
            width={BAR}
            height={high(wait.least)}
            rx={2}
            fill="var(--tg-curve)"
          />
          {wait.capped ? (
            <line x1={at * step + 2} x2={at * step + 24} y1={5} y2={5} stroke="var(--tg-warn)" strokeDasharray="3 2" />
          ) : null}
        </g>
      ))}
    </svg>
  );
}
