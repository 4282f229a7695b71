/** Numbers, moments and money as the language writes them. */
import { type Lang, useLang } from "./lang";
import { once } from "./once";

export interface Format {
  number: (value: number, digits?: number) => string;
  /** 12.3k, 4.5M; in Chinese 1.2万. */
  short: (value: number) => string;
  /** Of a ratio: 0.953 is 95.3 %. */
  percent: (ratio: number, digits?: number) => string;
  /** A sum as the API tells it: a decimal string. */
  money: (amount: string | number, currency: string) => string;
  /** 80 ms, 1.2 s, 3 min 20 s, 2 h 5 min. */
  milliseconds: (ms: number) => string;
  moment: (at: string | Date) => string;
  clock: (at: string | Date) => string;
  /** "3 minutes ago". */
  ago: (at: string | Date, now?: Date) => string;
}

const STEPS: ReadonlyArray<[Intl.RelativeTimeFormatUnit, number]> = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];
const UNITS = { en: ["ms", "s", "min", "h", "d"], "zh-CN": ["毫秒", "秒", "分", "小时", "天"] } as const;

type Numbers = (value: number, digits?: number) => string;

function duration(lang: Lang, number: Numbers, ms: number): string {
  const [milli, second, minute, hour, day] = UNITS[lang];
  const both = (whole: number, wholeUnit: string, rest: number, restUnit: string) =>
    rest ? `${whole} ${wholeUnit} ${rest} ${restUnit}` : `${whole} ${wholeUnit}`;
  if (ms < 999.5) return `${number(ms, ms < 10 ? 1 : 0)} ${milli}`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${number(seconds, seconds < 10 ? 1 : 0)} ${second}`;
  if (seconds < 3600) return both(Math.floor(seconds / 60), minute, Math.floor(seconds % 60), second);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return both(Math.floor(minutes / 60), hour, minutes % 60, minute);
  return both(Math.floor(minutes / 1440), day, Math.floor((minutes % 1440) / 60), hour);
}

function made(lang: Lang): Format {
  const plain = once((digits: number) => new Intl.NumberFormat(lang, { maximumFractionDigits: digits }));
  const compact = once(() => new Intl.NumberFormat(lang, { notation: "compact", maximumSignificantDigits: 3 }));
  const share = once(
    (digits: number) => new Intl.NumberFormat(lang, { style: "percent", maximumFractionDigits: digits }),
  );
  const sum = once((shape: string) => {
    const [currency, digits] = shape.split(" ");
    const both = { minimumFractionDigits: 2, maximumFractionDigits: Number(digits) };
    return new Intl.NumberFormat(lang, { style: "currency", currency: currency ?? "", ...both });
  });
  const long = once(() => new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "medium" }));
  const clock = once(() => new Intl.DateTimeFormat(lang, { timeStyle: "medium", hourCycle: "h23" }));
  const relative = once(() => new Intl.RelativeTimeFormat(lang, { numeric: "auto" }));
  const number = (value: number, digits = 0) => plain(digits).format(value);
  return {
    number,
    short: (value) => (Math.abs(value) < 1000 ? number(value, 3) : compact().format(value)),
    percent: (ratio, digits = 1) => share(digits).format(ratio),
    money: (amount, currency) => {
      const value = Number(amount);
      return sum(`${currency || "USD"} ${value !== 0 && Math.abs(value) < 1 ? 4 : 2}`).format(value);
    },
    milliseconds: (ms) => duration(lang, number, ms),
    moment: (at) => long().format(new Date(at)),
    clock: (at) => clock().format(new Date(at)),
    ago: (at, now = new Date()) => {
      const seconds = (new Date(at).getTime() - now.getTime()) / 1000;
      const [unit, size] = STEPS.find(([, many]) => Math.abs(seconds) >= many) ?? ["second", 1];
      return relative().format(Math.round(seconds / size), unit);
    },
  };
}

/** One for each language: what they are made of takes the browser milliseconds to make. */
export const formatOf = once(made);

export function useFormat(): Format {
  return formatOf(useLang().lang);
}
