import en from "~/i18n/en/tenants";
import { catalogue, type Say, useWords } from "~/i18n/words";
import zh from "~/i18n/zh/tenants";

const WORDS = catalogue(en, zh);
export type Word = keyof typeof en;
export const useTenantWords = (): Say<Word> => useWords(WORDS);
