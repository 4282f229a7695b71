import { useMemo } from "react";
import { useFormat } from "~/i18n/format";
import { useTold } from "~/i18n/told";
import { useReasons } from "../reasons";
import { useCallWords } from "../words";
import type { Teller } from "./explain";

export function useTeller(): Teller {
  const t = useCallWords();
  const format = useFormat();
  const reasons = useReasons();
  const told = useTold();
  return useMemo(() => ({ t, format, reasons, told }), [t, format, reasons, told]);
}
