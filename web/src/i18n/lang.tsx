import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { fetchTold } from "./told/load";

export type Lang = "en" | "zh-CN";
const KEPT = "tidegate.lang";

interface Chosen {
  lang: Lang;
  choose: (lang: Lang) => void;
}

/** What was chosen before, else what the browser asks for. */
export function firstLang(): Lang {
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept === "en" || kept === "zh-CN") return kept;
  } catch {
    // no storage: nothing is remembered
  }
  const wanted = navigator.languages.find((one) => /^(zh|en)\b/i.test(one)) ?? "en";
  return /^zh/i.test(wanted) ? "zh-CN" : "en";
}

const Context = createContext<Chosen>({ lang: "en", choose: () => undefined });

export function LangProvider({ children }: { children: ReactNode }) {
  const [lang, setLang] = useState(firstLang);
  useEffect(() => {
    document.documentElement.lang = lang;
    void fetchTold(lang);
  }, [lang]);
  const chosen = useMemo(
    () => ({
      lang,
      choose: (next: Lang) => {
        setLang(next);
        try {
          localStorage.setItem(KEPT, next);
        } catch {
          // as above
        }
      },
    }),
    [lang],
  );
  return <Context.Provider value={chosen}>{children}</Context.Provider>;
}

export function useLang(): Chosen {
  return useContext(Context);
}
