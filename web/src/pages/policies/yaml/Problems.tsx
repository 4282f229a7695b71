import { Text, UnstyledButton } from "@mantine/core";
import { useTold } from "~/i18n/told";
import { IconAlertTriangle, IconCircleCheck, IconExclamationCircle } from "~/parts/icons";
import classes from "../policies.module.css";
import type { Finding } from "../types";
import { usePolicyWords } from "../words";

interface Props {
  errors: readonly Finding[];
  warnings: readonly Finding[];
  onGo: (place: { line: number; column: number }) => void;
}

const MOST = 50;

/** All errors and warnings in the text's order; each leads to its line. */
export function Problems({ errors, warnings, onGo }: Props) {
  const t = usePolicyWords();
  const told = useTold();
  const all = [
    ...errors.map((one) => ["error", one] as const),
    ...warnings.map((one) => ["warning", one] as const),
  ].slice(0, MOST);
  const more = errors.length + warnings.length - all.length;
  return (
    <section className={classes.problems} aria-label={t("problems")}>
      {all.length === 0 ? (
        <Text size="sm" className={classes.fine}>
          <IconCircleCheck size={15} aria-hidden /> {t("no_problems")}
        </Text>
      ) : null}
      <ul>
        {all.map(([kind, one]) => (
          <li key={`${kind} ${one.line} ${one.column} ${one.field} ${one.message}`} data-kind={kind}>
            {kind === "error" ? (
              <IconExclamationCircle size={15} aria-hidden />
            ) : (
              <IconAlertTriangle size={15} aria-hidden />
            )}
            <div>
              <span className="tg-unseen">{t(kind)}: </span>
              <UnstyledButton
                className={classes.line}
                aria-label={t("go_to_line", { line: one.line })}
                onClick={() => onGo({ line: one.line, column: one.column })}
                disabled={Boolean(one.file)}
              >
                {one.file ?? t("line", { line: one.line })}
              </UnstyledButton>{" "}
              {one.field ? <code>{one.field}</code> : null} {told(one.message)}
              {one.remedy ? (
                <span className="tg-soft">
                  {t("then")}
                  {told(one.remedy)}
                </span>
              ) : null}
            </div>
          </li>
        ))}
      </ul>
      {more > 0 ? (
        <Text size="xs" className="tg-soft">
          {t("more_problems", { n: more })}
        </Text>
      ) : null}
    </section>
  );
}
