import { Checkbox } from "@mantine/core";
import { useId } from "react";
import type { Strategy } from "../types";
import { nameOf, usePolicyWords } from "../words";
import { FieldFrame } from "./FieldFrame";
import type { CheckField } from "./fields";
import { useField } from "./useField";

export function CheckControl({ field, strategy }: { field: CheckField; strategy: Strategy }) {
  const id = useId();
  const t = usePolicyWords();
  const control = useField(field, strategy);
  const [on, off] = field.words ?? [true, false];
  const foreign = control.raw !== undefined && control.raw !== on && control.raw !== off;
  const ticked = control.raw === undefined ? field.fallback : control.raw === on;
  return (
    <FieldFrame field={field} control={control} id={id} foreign={foreign} bare>
      <Checkbox
        id={id}
        label={t(nameOf(field.key))}
        checked={ticked}
        indeterminate={foreign}
        disabled={control.off}
        onChange={(event) => control.write(event.currentTarget.checked ? on : off)}
        aria-describedby={`${id}-hint ${id}-findings`}
      />
    </FieldFrame>
  );
}
