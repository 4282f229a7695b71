import en from "~/i18n/en/accounts";
import { catalogue, type Say, useWords } from "~/i18n/words";
import zh from "~/i18n/zh/accounts";

const WORDS = catalogue(en, zh);
export const useAccountWords = (): Say<keyof typeof en> => useWords(WORDS);
