import { NumberInput, Slider } from "@mantine/core";
import { useEffect, useId, useRef, useState } from "react";
import type { Strategy } from "../types";
import { nameOf, unitOf, usePolicyWords } from "../words";
import { FieldFrame } from "./FieldFrame";
import type { NumberField } from "./fields";
import classes from "./form.module.css";
import { lastOf, positionOf, stopAt } from "./ladder";
import { type Control, useField } from "./useField";
import { shownOf, useValueText, valueOf } from "./useValueText";

const REST_MS = 600;

/** A slider over round numbers, and beside it the exact number. */
export function NumberControl({ field, strategy }: { field: NumberField; strategy: Strategy }) {
  const id = useId();
  const t = usePolicyWords();
  const text = useValueText();
  const control = useField(field, strategy);
  const known = typeof control.raw === "number" ? control.raw : undefined;
  const foreign = control.raw !== undefined && known === undefined;
  const value = known ?? field.fallback;
  const position = positionOf(field.ladder, value);
  const name = t(nameOf(field.key));
  const slide = (to: number) => {
    const stop = stopAt(field.ladder, to, position);
    if (stop === undefined) {
      if (control.isSet) control.reset();
    } else if (stop !== value || foreign) control.write(stop);
  };
  return (
    <FieldFrame field={field} control={control} id={id} foreign={foreign}>
      <Slider
        className={classes.slider}
        data-left-out={!control.isSet || undefined}
        min={0}
        max={lastOf(field.ladder)}
        step={1}
        precision={3}
        value={position}
        onChange={slide}
        label={text(field, value)}
        thumbLabel={t("slider", { label: name })}
        thumbValueText={text(field, value)}
        disabled={control.off}
        size="sm"
        thumbSize={16}
      />
      <Exact id={id} field={field} control={control} value={foreign ? undefined : value} />
      <span className={classes.unit}>{t(unitOf(field.unit))}</span>
    </FieldFrame>
  );
}

interface ExactProps {
  id: string;
  field: NumberField;
  control: Control;
  value: number | undefined;
}

/** Written when one goes on, or after a rest: half a number is nobody's wish. */
function Exact({ id, field, control, value }: ExactProps) {
  const t = usePolicyWords();
  const [typed, setTyped] = useState<string | number>();
  const shown = value === undefined ? "" : shownOf(field, value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const write = (given: string | number | undefined, entered = false) => {
    clearTimeout(timer.current);
    setTyped(undefined);
    if (given === undefined && !entered) return;
    const next = given ?? shown;
    if (next === "") {
      if (control.isSet) control.reset();
    } else if (next !== shown || !control.isSet) control.write(valueOf(field, Number(next)));
  };
  const latest = useRef(write);
  latest.current = write;
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <NumberInput
      id={id}
      className={classes.exact}
      size="xs"
      value={typed ?? shown}
      placeholder={field.fallback === undefined ? t("no_bound") : String(shownOf(field, field.fallback))}
      onChange={(next) => {
        if (next === (typed ?? shown)) return;
        setTyped(next);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => latest.current(next), REST_MS);
      }}
      onBlur={() => write(typed)}
      onKeyDown={(event) => event.key === "Enter" && write(typed, true)}
      thousandSeparator=","
      min={shownOf(field, field.min)}
      max={shownOf(field, field.max)}
      clampBehavior="none"
      allowNegative={false}
      decimalScale={field.unit === "percent" ? 2 : field.decimals}
      step={field.decimals > 2 ? 0.1 : 1}
      disabled={control.off}
      error={control.errors.length > 0}
      hideControls
      aria-describedby={`${id}-hint ${id}-findings`}
    />
  );
}
