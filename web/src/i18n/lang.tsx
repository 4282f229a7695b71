import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { firstLang, KEPT, type Lang } from "./first";
import { fetchTold } from "./told/load";

export { type Lang } from "./first";

interface Chosen {
  lang: Lang;
  choose: (lang: Lang) => void;
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
