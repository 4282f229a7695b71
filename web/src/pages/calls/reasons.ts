import { useCallback } from "react";
import { CALL_WORDS, type CallWord, useCallWords } from "./words";

/** The catalogue's word for a word of the ledger's; undefined: it has none, and the word itself is shown. */
export function reasonKey(word: string): CallWord | undefined {
  const key = `why_${word}`;
  return key in CALL_WORDS.en ? (key as CallWord) : undefined;
}

/** What befell a call, in the reader's language: words of the ledger apart by spaces, or a phrase that has some in it. */
export function useReasons(): (words: string) => string {
  const t = useCallWords();
  return useCallback(
    (words) => {
      const one = (word: string) => {
        const key = reasonKey(word);
        return key ? t(key) : word;
      };
      if (/^[a-z_ ]+$/.test(words)) return words.split(" ").filter(Boolean).map(one).join(", ");
      return words.replace(/\b[a-z_]+\b/g, one);
    },
    [t],
  );
}
