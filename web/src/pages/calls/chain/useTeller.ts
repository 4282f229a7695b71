import { useMemo } from "react";
import { useFormat } from "~/i18n/format";
import { useReasons } from "../reasons";
import { useCallWords } from "../words";
import type { Teller } from "./explain";

export function useTeller(): Teller {
  const t = useCallWords();
  const format = useFormat();
  const reasons = useReasons();
  return useMemo(() => ({ t, format, reasons }), [t, format, reasons]);
}
