/** Spend over time, without holes: an hour or a day in which nothing was called cost nothing. Pure. */
export type Unit = "hour" | "day";

export interface Priced {
  hour?: string | null | undefined;
  day?: string | null | undefined;
  cost: string;
}

export interface Costs {
  times: number[];
  values: number[];
}

const HOUR_S = 3_600;
const STEP_MS = 6 * HOUR_S * 1000; // no day is so short
const seconds = (date: Date) => Math.floor(date.getTime() / 1000);

/** A day without an hour: its noon in the reader's zone, so that the axis shows that day whatever zone it is of. */
function noon(day: string): number {
  const [year = 1970, month = 1, date = 1] = day.split("-").map(Number);
  return seconds(new Date(year, month - 1, date, 12));
}

function dayAt(moment: Date, zone: string): string {
  const shape = { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" } as const;
  return new Intl.DateTimeFormat("sv-SE", shape).format(moment);
}

export function costsOf(lines: readonly Priced[], unit: Unit, since: Date, until: Date, zone: string): Costs {
  const known = new Map<number, number>();
  for (const line of lines) {
    const at =
      unit === "hour" ? Math.floor(seconds(new Date(line.hour ?? "")) / HOUR_S) * HOUR_S : noon(line.day ?? "");
    known.set(at, (known.get(at) ?? 0) + Number(line.cost));
  }
  const times = unit === "hour" ? hours(since, until) : days(since, until, zone);
  return { times, values: times.map((at) => known.get(at) ?? 0) };
}

function hours(since: Date, until: Date): number[] {
  const first = Math.ceil(seconds(since) / HOUR_S);
  const last = Math.floor(seconds(until) / HOUR_S);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * HOUR_S);
}

function days(since: Date, until: Date, zone: string): number[] {
  const found = new Set<string>();
  for (let at = since.getTime(); at < until.getTime(); at += STEP_MS) found.add(dayAt(new Date(at), zone));
  found.add(dayAt(until, zone));
  return [...found].map(noon);
}

/** When this day began, here. */
export function midnight(now = new Date()): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate());
}
