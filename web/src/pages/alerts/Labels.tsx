import classes from "./alerts.module.css";
import { useAlertWords, wordOf } from "./words";

/** Whose it is: each label's name in words, and its value. */
export function Labels({ of }: { of: Readonly<Record<string, string>> }) {
  const t = useAlertWords();
  const all = Object.entries(of);
  if (!all.length) return <span className="tg-soft">{t("whole_gate")}</span>;
  return (
    <span className={classes.labels}>
      {all.map(([name, value]) => (
        <span key={name} title={name}>
          <span className="tg-soft">{wordOf(t, "label", name)}</span> {value || "–"}
        </span>
      ))}
    </span>
  );
}
