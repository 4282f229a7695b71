import en from "~/i18n/en/signin";
import { catalogue, useWords } from "~/i18n/words";
import zh from "~/i18n/zh/signin";

const WORDS = catalogue(en, zh);
export const useSignInWords = () => useWords(WORDS);
