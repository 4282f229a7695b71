import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { type ReactNode, type SyntheticEvent, useState } from "react";
import { ApiProblem } from "~/api/problem";
import { Problem } from "~/parts/Problem";
import { FieldInput, faultsOf } from "./FieldInput";
import { type Draft, type Field, fieldsOf, type Group as Part } from "./fields";
import classes from "./tenants.module.css";
import { useTenantWords } from "./words";

export interface Offers {
  tiers?: readonly string[];
  users?: readonly string[];
  /** Whose: for hints. */
  namespace?: string;
}

interface Props {
  title: string;
  action: string;
  groups: readonly Part[];
  before: Draft;
  offers?: Offers;
  /** Fields of another kind, after the others; they get what was refused. */
  children?: (error: unknown) => ReactNode;
  /** False where nothing was changed, and so nothing was sent; `shown` where something else has taken the window's place. */
  onSave: (draft: Draft) => Promise<boolean | "shown">;
  onClose: () => void;
}

/** A form in a window. The gate says what is wrong with a field, and it is shown there. */
export function Form({ title, action, groups, before, offers = {}, children, onSave, onClose }: Props) {
  const t = useTenantWords();
  const [draft, setDraft] = useState(before);
  const [error, setError] = useState<unknown>();
  const [unchanged, setUnchanged] = useState(false);
  const [busy, setBusy] = useState(false);
  const save = async (event: SyntheticEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const saved = await onSave(draft);
      if (saved === "shown") return;
      if (saved) return onClose();
      setUnchanged(true);
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  const change = (path: string, value: string) => {
    setUnchanged(false);
    setDraft((now) => ({ ...now, [path]: value }));
  };
  return (
    <Modal opened onClose={onClose} title={title} size="lg" closeOnClickOutside={false}>
      <form onSubmit={(event) => void save(event)} noValidate>
        <Stack>
          {groups.map((group, index) => (
            <Fields key={group.title ?? index} group={group} draft={draft} error={error} offers={offers} set={change} />
          ))}
          {children?.(error)}
          <Rest error={error} fields={fieldsOf(groups)} />
          {unchanged ? (
            <Text size="sm" role="status">
              {t("nothing_changed")}
            </Text>
          ) : null}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("cancel")}
            </Button>
            <Button type="submit" loading={busy}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

interface FieldsProps {
  group: Part;
  draft: Draft;
  error: unknown;
  offers: Offers;
  set: (path: string, value: string) => void;
}

function Fields({ group, draft, error, offers, set }: FieldsProps) {
  const t = useTenantWords();
  const fields = group.fields.map((field: Field) => (
    <FieldInput
      key={field.path}
      field={field}
      value={draft[field.path] ?? ""}
      faults={faultsOf(error, field.path)}
      offers={offers}
      onChange={(value) => set(field.path, value)}
    />
  ));
  if (!group.title) return <div className={classes.fields}>{fields}</div>;
  const faulty = group.fields.some((field) => faultsOf(error, field.path).length > 0);
  if (group.folded) {
    return (
      <details {...(faulty ? { open: true } : {})}>
        <summary className={classes.legend}>{t(group.title)}</summary>
        <div className={classes.fields}>{fields}</div>
      </details>
    );
  }
  return (
    <fieldset className={classes.fieldset}>
      <legend className={classes.legend}>{t(group.title)}</legend>
      <div className={classes.fields}>{fields}</div>
    </fieldset>
  );
}

/** What was refused for no field that is shown above. */
function Rest({ error, fields }: { error: unknown; fields: readonly Field[] }) {
  if (!error) return null;
  if (!(error instanceof ApiProblem) || error.faults.length === 0) return <Problem error={error} />;
  const shown = new Set(fields.flatMap((field) => faultsOf(error, field.path)));
  const rest = error.faults.filter((fault) => !shown.has(fault) && !/^(body\.)?by_model\./.test(fault.field));
  return rest.length ? <Problem error={new ApiProblem(error.status, error.title, rest)} /> : null;
}
