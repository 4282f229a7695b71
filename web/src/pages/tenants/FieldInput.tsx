import { Autocomplete, Checkbox, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { ApiProblem, type Fault } from "~/api/problem";
import { useTold } from "~/i18n/told";
import type { Field } from "./fields";
import type { Offers } from "./Form";
import { useTenantWords, type Word } from "./words";

/** What was refused of a field, or of an entry of it (`models.2`). */
export function faultsOf(error: unknown, path: string): Fault[] {
  if (!(error instanceof ApiProblem)) return [];
  return error.faults.filter(({ field }) => {
    const name = field.replace(/^body\./, "");
    return name === path || name.startsWith(`${path}.`);
  });
}

const TIERS = ["vip", "paid", "free", "batch"];

function suggested(field: Field, offers: Offers): string[] {
  if (field.suggestions === "zones") return ["UTC", ...Intl.supportedValuesOf("timeZone")];
  if (field.suggestions === "tiers") return [...new Set([...TIERS, ...(offers.tiers ?? [])])];
  return [...(offers.users ?? [])];
}

interface Props {
  field: Field;
  value: string;
  faults: readonly Fault[];
  offers: Offers;
  onChange: (value: string) => void;
}

/** One field of a form, with what the gate found wrong in it. */
export function FieldInput({ field, value, faults, offers, onChange }: Props) {
  const t = useTenantWords();
  const told = useTold();
  const common = {
    label: t(field.label),
    ...(field.hint ? { description: t(field.hint, { name: offers.namespace ?? "" }) } : {}),
    ...(faults.length
      ? { error: faults.map((one) => t("remedy", { problem: told(one.problem), remedy: told(one.remedy) })).join(" ") }
      : {}),
  };
  if (field.kind === "yes") {
    return (
      <Checkbox
        {...common}
        checked={value === "yes"}
        onChange={(event) => onChange(event.currentTarget.checked ? "yes" : "")}
      />
    );
  }
  if (field.kind === "choice") {
    const choices = (field.choices ?? []).map((one) => ({ value: one, label: t(`v_${one}` as Word) }));
    const silent = field.path.endsWith("on_state_loss") ? [{ value: "", label: t("v_default") }] : [];
    const data = [...silent, ...choices];
    return (
      <NativeSelect
        {...common}
        data={data}
        value={value || data[0]?.value || ""}
        onChange={(event) => onChange(event.target.value)}
      />
    );
  }
  if (field.kind === "list") {
    return (
      <Textarea
        {...common}
        autosize
        minRows={2}
        maxRows={8}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    );
  }
  if (field.suggestions) {
    return <Autocomplete {...common} data={suggested(field, offers)} limit={30} value={value} onChange={onChange} />;
  }
  return (
    <TextInput
      {...common}
      {...(field.kind === "moment" ? { type: "datetime-local" } : {})}
      {...(field.kind === "number" ? { inputMode: "decimal" as const } : {})}
      autoComplete="off"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
