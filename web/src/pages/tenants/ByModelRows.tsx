import { ActionIcon, Button, Text, TextInput } from "@mantine/core";
import { useTold } from "~/i18n/told";
import { IconPlus, IconTrash } from "~/parts/icons";
import { ROW, type Row } from "./byModel";
import { FieldInput, faultsOf } from "./FieldInput";
import { fieldsOf } from "./fields";
import classes from "./tenants.module.css";
import { useTenantWords } from "./words";

interface Props {
  rows: readonly Row[];
  error: unknown;
  onChange: (rows: Row[]) => void;
}

/** Bounds of single models or strategies. */
export function ByModelRows({ rows, error, onChange }: Props) {
  const t = useTenantWords();
  const told = useTold();
  const replace = (at: number, row: Row) => onChange(rows.map((one, index) => (index === at ? row : one)));
  return (
    <fieldset className={classes.fieldset}>
      <legend className={classes.legend}>{t("by_model")}</legend>
      <Text size="xs" className="tg-soft">
        {t("by_model_hint")}
      </Text>
      {rows.map((row, index) => (
        <div key={index} className={classes.modelRow}>
          <div className={classes.modelName}>
            <TextInput
              label={t("models")}
              value={row.model}
              error={faultsOf(error, `by_model.${row.model.trim()}`)
                .map((one) => t("remedy", { problem: told(one.problem), remedy: told(one.remedy) }))
                .join(" ")}
              onChange={(event) => replace(index, { ...row, model: event.target.value })}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t("remove_model", { model: row.model })}
              onClick={() => onChange(rows.filter((_, at) => at !== index))}
            >
              <IconTrash aria-hidden size={16} />
            </ActionIcon>
          </div>
          <div className={classes.fields}>
            {fieldsOf(ROW).map((field) => (
              <FieldInput
                key={field.path}
                field={field}
                value={row.draft[field.path] ?? ""}
                faults={[]}
                offers={{}}
                onChange={(value) => replace(index, { ...row, draft: { ...row.draft, [field.path]: value } })}
              />
            ))}
          </div>
        </div>
      ))}
      <Button
        variant="subtle"
        size="xs"
        mt="xs"
        leftSection={<IconPlus aria-hidden size={14} />}
        onClick={() => onChange([...rows, { model: "", draft: {} }])}
      >
        {t("add_model")}
      </Button>
    </fieldset>
  );
}
