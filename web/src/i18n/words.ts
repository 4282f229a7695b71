/** Catalogues: a page has its words in `en/<page>.ts` and `zh/<page>.ts`, and reads them by `useWords`. */
import { useCallback } from "react";
import { type Lang, useLang } from "./lang";
import { once } from "./once";

/** One text, or one for each plural of `{n}`. `{name}` is where a value stands. */
export type Phrase = string | { one: string; other: string };
export type Words = Readonly<Record<string, Phrase>>;
/** The same keys in another language; a language without plurals may say one text. */
export type Same<E extends Words> = { readonly [K in keyof E]: Phrase };
export type Values = Readonly<Record<string, string | number>>;
export type Say<K> = (key: K, values?: Values) => string;

export interface Catalogue<E extends Words> {
  readonly en: E;
  readonly zh: Same<E>;
}

export function catalogue<const E extends Words>(en: E, zh: Same<E>): Catalogue<E> {
  return { en, zh };
}

const plurals = once((lang: Lang) => new Intl.PluralRules(lang));

export function say(lang: Lang, phrase: Phrase, values: Values = {}): string {
  let text: string;
  if (typeof phrase === "string") text = phrase;
  else text = plurals(lang).select(Number(values.n ?? 0)) === "one" ? phrase.one : phrase.other;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? value.toLocaleString(lang) : value;
  });
}

/** `t("key", { n: 3 })` in the language that is chosen. */
export function useWords<E extends Words>(words: Catalogue<E>): Say<keyof E & string> {
  const { lang } = useLang();
  return useCallback(
    (key, values) => {
      const phrase: Phrase = lang === "zh-CN" ? words.zh[key] : (words.en[key] as Phrase);
      return say(lang, phrase, values);
    },
    [lang, words],
  );
}
