/** The templates of a language: fetched once, and by who reads it only. */
import type { Lang } from "../lang";
import { type Tell, teller } from "./match";

let chinese: Tell | undefined;
let coming: Promise<void> | undefined;
const heard = new Set<() => void>();

/** Until it is there, sentences are told as they came. */
export function fetchTold(lang: Lang): Promise<void> {
  if (lang === "en" || chinese) return Promise.resolve();
  coming ??= import("./zh").then(
    ({ TEMPLATES }) => {
      chinese = teller(TEMPLATES);
      for (const one of heard) one();
    },
    () => {
      coming = undefined; // asked for again with the next choice of a language
    },
  );
  return coming;
}

/** What tells them in Chinese; undefined: not yet. */
export const inChinese = () => chinese;

export function listen(one: () => void): () => void {
  heard.add(one);
  return () => heard.delete(one);
}
