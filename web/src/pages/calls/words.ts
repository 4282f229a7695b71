import en from "~/i18n/en/calls";
import { catalogue, type Say, useWords } from "~/i18n/words";
import zh from "~/i18n/zh/calls";

export const CALL_WORDS = catalogue(en, zh);
export type CallWord = keyof typeof en;
export type SayCall = Say<CallWord>;
export const useCallWords = (): SayCall => useWords(CALL_WORDS);
