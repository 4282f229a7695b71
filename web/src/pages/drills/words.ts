import en from "~/i18n/en/drills";
import { catalogue, type Say, useWords } from "~/i18n/words";
import zh from "~/i18n/zh/drills";

const WORDS = catalogue(en, zh);
export type DrillWords = Say<keyof typeof en>;
export const useDrillWords = (): DrillWords => useWords(WORDS);

/** The word for a value of the API; what is not known stands as it is. */
export function wordOf(t: DrillWords, prefix: string, name: string): string {
  const key = `${prefix}_${name}`;
  return key in en ? t(key as keyof typeof en) : name;
}
