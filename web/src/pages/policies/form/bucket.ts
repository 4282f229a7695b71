/** What a strategy's bounds let through when calls come without end (`policy/quota/bucket.py`), for a picture. */

export interface Bounds {
  max_rpm: number | undefined;
  bucket_capacity: number | undefined;
  refill_rate: number | undefined;
}

export interface Bucket {
  /** Calls let through until 0 s, 1 s … 60 s; undefined: nothing bounds them. */
  through: number[] | undefined;
  /** Right away, and in each minute when the first rush is over. */
  atOnce: number;
  steady: number;
  /** Which bound decides in the long run. */
  decides: "burst" | "rpm" | "none";
}

/** Both bounds are buckets that start full. The burst needs both its fields: one alone bounds nothing. */
export function bucketOf({ max_rpm, bucket_capacity, refill_rate }: Bounds): Bucket {
  const buckets: { name: "rpm" | "burst"; holds: number; second: number }[] = [];
  if (max_rpm !== undefined) buckets.push({ name: "rpm", holds: max_rpm, second: max_rpm / 60 });
  if (bucket_capacity !== undefined && refill_rate !== undefined) {
    buckets.push({ name: "burst", holds: bucket_capacity, second: refill_rate });
  }
  const slowest = buckets.reduce<{ name: Bucket["decides"]; second: number }>(
    (least, one) => (one.second < least.second ? one : least),
    {
      name: "none",
      second: Number.POSITIVE_INFINITY,
    },
  );
  const at = (second: number) => Math.min(...buckets.map((one) => one.holds + one.second * second));
  return {
    through: buckets.length ? Array.from({ length: 61 }, (_, second) => at(second)) : undefined,
    atOnce: at(0),
    steady: slowest.second * 60,
    decides: slowest.name,
  };
}
