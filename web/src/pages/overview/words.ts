import en from "~/i18n/en/overview";
import { catalogue, type Say, useWords } from "~/i18n/words";
import zh from "~/i18n/zh/overview";

const WORDS = catalogue(en, zh);
export type OverviewWords = Say<keyof typeof en>;
export const useOverviewWords = (): OverviewWords => useWords(WORDS);
