import { Autocomplete, Button, Group, NumberInput, SegmentedControl, Switch, Textarea, TextInput } from "@mantine/core";
import { memo, type SyntheticEvent } from "react";
import { useSession } from "~/api/session";
import { Needs } from "~/parts/Needs";
import { IconPlayerPause, IconSend } from "~/parts/icons";
import { asked, bodyOf, type Fields, written } from "./fields";
import classes from "./playground.module.css";
import { useModels, useNamespaces } from "./useModels";
import { usePlayWords } from "./words";

interface Props {
  fields: Fields;
  busy: boolean;
  onChange: (change: Partial<Fields>) => void;
  onSend: () => void;
  onStop: () => void;
}

/** What is asked, and in whose name. */
export const Form = memo(function Form({ fields, busy, onChange, onSend, onStop }: Props) {
  const t = usePlayWords();
  const raw = fields.raw !== undefined;
  const body = asked(fields);
  const ready = typeof body !== "string" && (raw || (fields.model.trim() !== "" && fields.message.trim() !== ""));
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (ready && !busy) onSend();
  };
  return (
    <form className={`tg-panel ${classes.form}`} onSubmit={submit} aria-label={t("question")}>
      <Group justify="space-between">
        <SegmentedControl
          size="xs"
          aria-label={t("dialect")}
          value={fields.dialect}
          onChange={(value) => onChange({ dialect: value })}
          data={[
            { value: "openai", label: "OpenAI" },
            { value: "anthropic", label: "Anthropic" },
          ]}
        />
        <Switch
          size="sm"
          label={t("raw")}
          checked={raw}
          onChange={(event) => onChange({ raw: event.target.checked ? written(bodyOf(fields)) : undefined })}
        />
      </Group>
      <Whose fields={fields} onChange={onChange} />
      {fields.raw === undefined ? (
        <Plain fields={fields} onChange={onChange} />
      ) : (
        <Textarea
          label={t("raw_body")}
          description={t("raw_text")}
          value={fields.raw}
          error={typeof body === "string" ? t("no_json", { why: body }) : undefined}
          autosize
          minRows={12}
          maxRows={28}
          spellCheck={false}
          classNames={{ input: classes.code }}
          onChange={(event) => onChange({ raw: event.target.value })}
        />
      )}
      <Group>
        {busy ? (
          <Button color="red.8" leftSection={<IconPlayerPause aria-hidden size={16} />} onClick={onStop}>
            {t("stop")}
          </Button>
        ) : (
          <Needs right="play">
            <Button type="submit" disabled={!ready} leftSection={<IconSend aria-hidden size={16} />}>
              {t("send")}
            </Button>
          </Needs>
        )}
        <span className={`tg-soft ${classes.small}`}>{t("really")}</span>
      </Group>
    </form>
  );
});

type Part = Pick<Props, "fields" | "onChange">;

function Whose({ fields, onChange }: Part) {
  const t = usePlayWords();
  const session = useSession();
  const namespaces = useNamespaces();
  const own = session.role === "owner";
  return (
    <div className={classes.pair}>
      {own ? (
        <TextInput size="sm" label={t("namespace")} value={session.namespace ?? ""} disabled />
      ) : (
        <Autocomplete
          size="sm"
          label={t("namespace")}
          placeholder={t("nobody")}
          data={namespaces}
          limit={50}
          value={fields.namespace}
          onChange={(namespace) => onChange({ namespace })}
        />
      )}
      <TextInput
        size="sm"
        label={t("user")}
        disabled={!own && !fields.namespace}
        value={fields.user}
        onChange={(event) => onChange({ user: event.target.value })}
      />
    </div>
  );
}

function Plain({ fields, onChange }: Part) {
  const t = usePlayWords();
  const { strategies, models } = useModels();
  const groups = [
    { group: t("strategies"), items: strategies },
    { group: t("models"), items: models },
  ].filter((one) => one.items.length);
  return (
    <>
      <Autocomplete
        label={t("model")}
        required
        data={groups}
        limit={100}
        value={fields.model}
        onChange={(model) => onChange({ model })}
      />
      <Textarea
        label={t("system")}
        autosize
        minRows={1}
        maxRows={8}
        value={fields.system}
        onChange={(event) => onChange({ system: event.target.value })}
      />
      <Textarea
        label={t("message")}
        required
        autosize
        minRows={4}
        maxRows={16}
        value={fields.message}
        onChange={(event) => onChange({ message: event.target.value })}
      />
      <div className={classes.pair}>
        <NumberInput
          label={t("max_tokens")}
          min={1}
          allowDecimal={false}
          value={fields.maxTokens}
          onChange={(value) => onChange({ maxTokens: typeof value === "number" ? value : "" })}
        />
        <NumberInput
          label={t("temperature")}
          placeholder={t("models_own")}
          min={0}
          max={2}
          step={0.1}
          decimalScale={2}
          value={fields.temperature}
          onChange={(value) => onChange({ temperature: typeof value === "number" ? value : "" })}
        />
      </div>
      <Switch
        label={t("stream")}
        checked={fields.stream}
        onChange={(event) => onChange({ stream: event.target.checked })}
      />
    </>
  );
}
