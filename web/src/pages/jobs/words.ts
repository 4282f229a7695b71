import en from "~/i18n/en/jobs";
import { catalogue, type Say, useWords } from "~/i18n/words";
import zh from "~/i18n/zh/jobs";

const WORDS = catalogue(en, zh);
export const useJobWords = (): Say<keyof typeof en> => useWords(WORDS);
