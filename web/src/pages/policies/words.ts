import en from "~/i18n/en/policies";
import { catalogue, useWords } from "~/i18n/words";
import zh from "~/i18n/zh/policies";

const WORDS = catalogue(en, zh);
export type Word = keyof typeof en;
export const usePolicyWords = () => useWords(WORDS);
/** The name of a control, the line below it, and what a choice is called; a test says that each is there. */
export const nameOf = (key: string) => `f_${key}` as Word;
export const hintOf = (key: string) => `h_${key}` as Word;
export const choiceOf = (key: string) => `c_${key}` as Word;
export const unitOf = (key: string) => `u_${key}` as Word;
