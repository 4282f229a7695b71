import en from "~/i18n/en/playground";
import { catalogue, type Say, useWords } from "~/i18n/words";
import zh from "~/i18n/zh/playground";

const WORDS = catalogue(en, zh);
export const usePlayWords = (): Say<keyof typeof en> => useWords(WORDS);
