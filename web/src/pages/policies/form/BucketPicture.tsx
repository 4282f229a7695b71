import { useFormat } from "~/i18n/format";
import { valueAt } from "../draft/paths";
import type { Strategy } from "../types";
import { usePolicyWords } from "../words";
import { bucketOf } from "./bucket";
import classes from "./form.module.css";

const [WIDTH, HEIGHT] = [220, 64];
const FEW = 10; // values that a screen reader is told

/** What the bounds let through when calls come without end: the rush of a full bucket, then the steady rate. */
export function BucketPicture({ strategy }: { strategy: Strategy }) {
  const t = usePolicyWords();
  const format = useFormat();
  const number = (name: string) => {
    const value = valueAt(strategy, ["rate_limit_policy", name]);
    return typeof value === "number" && value > 0 ? value : undefined;
  };
  const max_rpm = number("max_rpm");
  const bounds = { max_rpm, bucket_capacity: number("bucket_capacity"), refill_rate: number("refill_rate") };
  const bucket = bucketOf(bounds);
  if (!bucket.through) return <div className={classes.picture}>{t("bucket_none")}</div>;
  const { through } = bucket;
  const values = through.filter((_, second) => second % (60 / FEW) === 0).map((one) => format.number(one));
  const both = max_rpm !== undefined && bounds.bucket_capacity !== undefined && bounds.refill_rate !== undefined;
  return (
    <div className={classes.picture}>
      <Curve values={through} label={t("bucket_picture", { values: values.join(", ") })} />
      <div className={classes.words}>
        <p>{t("bucket_text", { once: format.number(bucket.atOnce), steady: format.number(bucket.steady) })}</p>
        {both ? (
          <p className="tg-soft">
            {bucket.decides === "burst"
              ? t("bucket_decides_burst", { rpm: format.number(max_rpm) })
              : t("bucket_decides_rpm")}
          </p>
        ) : null}
      </div>
    </div>
  );
}

function Curve({ values, label }: { values: readonly number[]; label: string }) {
  const top = Math.max(...values);
  const points = values.map(
    (value, second) =>
      `${((second / 60) * WIDTH).toFixed(1)},${(HEIGHT - 1 - (value / top) * (HEIGHT - 6)).toFixed(1)}`,
  );
  return (
    <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <line x1={0} x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} stroke="var(--tg-line)" />
      <polygon points={`0,${HEIGHT - 1} ${points.join(" ")} ${WIDTH},${HEIGHT - 1}`} fill="var(--tg-curve-fill)" />
      <polyline points={points.join(" ")} fill="none" stroke="var(--tg-curve)" strokeWidth={1.8} />
    </svg>
  );
}
