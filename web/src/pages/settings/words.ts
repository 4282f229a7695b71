import en from "~/i18n/en/settings";
import { catalogue, type Say, useWords } from "~/i18n/words";
import zh from "~/i18n/zh/settings";

const WORDS = catalogue(en, zh);
export const useSettingsWords = (): Say<keyof typeof en> => useWords(WORDS);
