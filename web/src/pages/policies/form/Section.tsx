import { Button, Collapse, Text, Title } from "@mantine/core";
import { type ReactNode, useId, useState } from "react";
import { IconChevronDown, IconChevronUp } from "~/parts/icons";
import { dotted } from "../draft/paths";
import { useEditing } from "../draft/usePolicy";
import type { Strategy } from "../types";
import { usePolicyWords, type Word } from "../words";
import { CheckControl } from "./CheckControl";
import { ChoiceControl } from "./ChoiceControl";
import type { Field } from "./fields";
import classes from "./form.module.css";
import { NumberControl } from "./NumberControl";
import { TextControl } from "./TextControl";

export function FieldControl({ field, strategy }: { field: Field; strategy: Strategy }) {
  switch (field.kind) {
    case "number":
      return <NumberControl field={field} strategy={strategy} />;
    case "check":
      return <CheckControl field={field} strategy={strategy} />;
    case "choice":
      return <ChoiceControl field={field} strategy={strategy} />;
    case "text":
      return <TextControl field={field} strategy={strategy} />;
  }
}

interface Props {
  name: "models" | "limits" | "smoothing" | "retries" | "caching" | "execution" | "times" | "streams";
  strategy: Strategy;
  fields?: readonly Field[];
  /** Behind a button, unless the file has some of them. */
  more?: readonly Field[];
  picture?: ReactNode;
  children?: ReactNode;
}

/** One part of a strategy: a panel with a heading, a line that explains it, its controls and its picture. */
export function Section({ name, strategy, fields = [], more = [], picture, children }: Props) {
  const t = usePolicyWords();
  const id = useId();
  return (
    <section className={`tg-panel ${classes.section}`} aria-labelledby={id}>
      <div>
        <Title order={3} id={id} className={classes.title}>
          {t(`sec_${name}` as Word)}
        </Title>
        <Text size="sm" className="tg-soft">
          {t(`sec_${name}_text` as Word)}
        </Text>
      </div>
      {children}
      {fields.length ? (
        <div className={classes.fields}>
          {fields.map((field) => (
            <FieldControl key={field.key} field={field} strategy={strategy} />
          ))}
        </div>
      ) : null}
      {picture}
      {more.length ? <More fields={more} strategy={strategy} /> : null}
    </section>
  );
}

function More({ fields, strategy }: { fields: readonly Field[]; strategy: Strategy }) {
  const t = usePolicyWords();
  const id = useId();
  const { draft } = useEditing();
  const [chosen, setChosen] = useState<boolean>();
  const wrong = new Set([...draft.errors, ...draft.warnings].map((one) => one.field));
  const needed = fields.some(
    (one) => strategy.set.includes(one.path.join(".")) || wrong.has(dotted([...strategy.path, ...one.path])),
  );
  const opened = chosen ?? needed;
  const Icon = opened ? IconChevronUp : IconChevronDown;
  return (
    <div>
      <Button
        variant="subtle"
        size="compact-sm"
        rightSection={<Icon size={14} aria-hidden />}
        aria-expanded={opened}
        aria-controls={id}
        onClick={() => setChosen(!opened)}
      >
        {t(opened ? "less" : "more")}
      </Button>
      <Collapse expanded={opened} id={id}>
        <div className={`${classes.fields} ${classes.more}`}>
          {opened ? fields.map((field) => <FieldControl key={field.key} field={field} strategy={strategy} />) : null}
        </div>
      </Collapse>
    </div>
  );
}
