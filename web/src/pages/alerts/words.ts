import en from "~/i18n/en/alerts";
import { catalogue, type Say, useWords } from "~/i18n/words";
import zh from "~/i18n/zh/alerts";

const WORDS = catalogue(en, zh);
export type AlertWords = Say<keyof typeof en>;
export const useAlertWords = (): AlertWords => useWords(WORDS);

/** The key of a word that is only known while it runs, where the catalogue has it. */
export function keyOf(prefix: string, name: string): keyof typeof en | undefined {
  const key = `${prefix}_${name}`;
  return key in en ? (key as keyof typeof en) : undefined;
}

/** The word for a value of the API; what is not known stands as it is. */
export function wordOf(t: AlertWords, prefix: string, name: string): string {
  const key = keyOf(prefix, name);
  return key ? t(key) : name;
}
