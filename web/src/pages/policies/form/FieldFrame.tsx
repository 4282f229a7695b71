import { Text, Tooltip, UnstyledButton } from "@mantine/core";
import type { ReactNode } from "react";
import { useTold } from "~/i18n/told";
import { IconAlertTriangle, IconExclamationCircle, IconRefresh } from "~/parts/icons";
import type { Finding } from "../types";
import { hintOf, nameOf, usePolicyWords } from "../words";
import type { Field } from "./fields";
import classes from "./form.module.css";
import type { Control } from "./useField";
import { plainText, useValueText } from "./useValueText";

interface Props {
  field: Field;
  control: Control;
  /** What the input is labelled by, and described by. */
  id: string;
  children: ReactNode;
  /** The control has its label itself, as a check box does. */
  bare?: boolean;
  /** What stands in the file is no value that the control could show. */
  foreign?: boolean;
}

/** What is around every control: its name, whether it is a default, a line that explains it, what is wrong with it. */
export function FieldFrame({ field, control, id, children, bare, foreign }: Props) {
  const t = usePolicyWords();
  return (
    <div className={classes.field} data-wrong={control.errors.length > 0 || undefined}>
      {bare ? null : (
        <label htmlFor={id} className={classes.name}>
          {t(nameOf(field.key))}
        </label>
      )}
      <div className={bare ? classes.whole : classes.control}>{children}</div>
      <div className={classes.below}>
        <Text id={`${id}-hint`} size="xs" className={`tg-soft ${bare ? classes.indented : ""}`}>
          {t(hintOf(field.key))}
        </Text>
        <Standing field={field} control={control} />
      </div>
      {foreign ? (
        <Text size="xs" className={classes.foreign}>
          {t("as_written", { value: plainText(control.raw) })}
        </Text>
      ) : null}
      <Findings errors={control.errors} warnings={control.warnings} id={`${id}-findings`} />
    </div>
  );
}

/** Is it the default, and the way to write it down; or does it stand in the file, and the way back to the default. */
function Standing({ field, control }: { field: Field; control: Control }) {
  const t = usePolicyWords();
  const text = useValueText();
  const name = t(nameOf(field.key));
  if (control.isSet) {
    return (
      <Tooltip label={t("reset_tip", { value: text(field, field.fallback) })} openDelay={400}>
        <UnstyledButton
          className={classes.reset}
          aria-label={t("reset", { label: name })}
          disabled={control.off}
          onClick={control.reset}
        >
          <IconRefresh size={14} aria-hidden />
        </UnstyledButton>
      </Tooltip>
    );
  }
  if (field.fallback === undefined)
    return <span className={classes.default}>{t(field.kind === "number" ? "no_bound" : "empty")}</span>;
  const value = field.kind === "check" && field.words ? field.words[field.fallback ? 0 : 1] : field.fallback;
  return (
    <Tooltip label={t("write_default_tip")} openDelay={400}>
      <UnstyledButton
        className={classes.default}
        data-acts
        aria-label={t("write_default", { label: name })}
        disabled={control.off}
        onClick={() => control.write(value)}
      >
        {t("is_default")}
      </UnstyledButton>
    </Tooltip>
  );
}

/** At the control that they are about, with the remedy. */
export function Findings({ errors, warnings, id }: { errors: Finding[]; warnings: Finding[]; id?: string }) {
  const t = usePolicyWords();
  const told = useTold();
  if (!errors.length && !warnings.length) return null;
  const all = [...errors.map((one) => ["error", one] as const), ...warnings.map((one) => ["warning", one] as const)];
  return (
    <div id={id} className={classes.findings}>
      {all.map(([kind, one]) => (
        <p key={`${kind} ${one.line} ${one.message}`} data-kind={kind}>
          {kind === "error" ? (
            <IconExclamationCircle size={14} aria-hidden />
          ) : (
            <IconAlertTriangle size={14} aria-hidden />
          )}
          <span>
            <span className="tg-unseen">{t(kind)}: </span>
            {told(one.message)}
            {one.remedy ? t("then") + told(one.remedy) : ""}
          </span>
        </p>
      ))}
    </div>
  );
}
