/** What the gate says in sentences, in the reader's language: the pages pass each through `useTold` as they show it. */
import { useSyncExternalStore } from "react";
import { useLang } from "../lang";
import { inChinese, listen } from "./load";
import type { Tell } from "./match";

export type { Tell } from "./match";

const asSaid: Tell = (sentence) => sentence;

/** `told("must be a list")` in the language that is chosen. */
export function useTold(): Tell {
  const { lang } = useLang();
  const tell = useSyncExternalStore(listen, inChinese);
  return (lang === "zh-CN" ? tell : undefined) ?? asSaid;
}
