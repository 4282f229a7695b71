import { useId } from "react";
import type { Strategy } from "../types";
import { usePolicyWords } from "../words";
import { FieldFrame } from "./FieldFrame";
import type { TextField } from "./fields";
import classes from "./form.module.css";
import { Suggest } from "./Suggest";
import { useField } from "./useField";

export function TextControl({ field, strategy }: { field: TextField; strategy: Strategy }) {
  const id = useId();
  const t = usePolicyWords();
  const control = useField(field, strategy);
  const foreign = control.raw !== undefined && typeof control.raw !== "string";
  const value = typeof control.raw === "string" ? control.raw : "";
  return (
    <FieldFrame field={field} control={control} id={id} foreign={foreign}>
      <Suggest
        id={id}
        className={classes.wide}
        value={value}
        suggestions={field.suggestions}
        onWrite={(next) => (next ? control.write(next) : control.reset())}
        disabled={control.off}
        wrong={control.errors.length > 0}
        placeholder={t("empty")}
        describedBy={`${id}-hint ${id}-findings`}
      />
    </FieldFrame>
  );
}
