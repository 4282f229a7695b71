import { Level } from "~/parts/Level";
import { useAlertWords } from "./words";

/** A severity as colour, shape and word. */
export function Severity({ of }: { of: string }) {
  const t = useAlertWords();
  if (of === "critical") return <Level grade="crit">{t("critical")}</Level>;
  return <Level grade="warn">{of === "warning" ? t("warning") : of}</Level>;
}
