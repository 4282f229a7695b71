import { useCallback } from "react";
import { CALL_WORDS, type CallWord, useCallWords } from "./words";

/** The catalogue's word for a word of the ledger's; undefined: it has none, and the word itself is shown. */
export function reasonKey(word: string): CallWord | undefined {
  const key = `why_${word}`;
  return key in CALL_WORDS.en ? (key as CallWord) : undefined;
}

/** What befell a call, in the reader's language: the ledger has words apart by spaces. */
export function useReasons(): (words: string) => string {
  const t = useCallWords();
  return useCallback(
    (words) =>
      words
        .split(" ")
        .filter(Boolean)
        .map((word) => {
          const key = reasonKey(word);
          return key ? t(key) : word;
        })
        .join(", "),
    [t],
  );
}
