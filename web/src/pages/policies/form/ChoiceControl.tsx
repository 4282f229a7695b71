import { Select } from "@mantine/core";
import { useId } from "react";
import type { Strategy } from "../types";
import { choiceOf, usePolicyWords } from "../words";
import { FieldFrame } from "./FieldFrame";
import type { ChoiceField } from "./fields";
import classes from "./form.module.css";
import { useField } from "./useField";
import { plainText } from "./useValueText";

/** What is left out is shown as its default, and can be chosen: then it stands in the file. */
export function ChoiceControl({ field, strategy }: { field: ChoiceField; strategy: Strategy }) {
  const id = useId();
  const t = usePolicyWords();
  const control = useField(field, strategy);
  const value = plainText(control.raw ?? field.fallback);
  const foreign = !field.choices.includes(value);
  return (
    <FieldFrame field={field} control={control} id={id} foreign={foreign}>
      <Select
        id={id}
        className={classes.wide}
        size="xs"
        data={field.choices.map((one) => ({ value: one, label: t(choiceOf(one)) }))}
        value={control.isSet && !foreign ? value : null}
        placeholder={foreign ? "" : t(choiceOf(value))}
        onChange={(next) => next !== null && control.write(next)}
        allowDeselect={false}
        disabled={control.off}
        error={control.errors.length > 0}
        comboboxProps={{ withinPortal: true }}
        aria-describedby={`${id}-hint ${id}-findings`}
      />
    </FieldFrame>
  );
}
