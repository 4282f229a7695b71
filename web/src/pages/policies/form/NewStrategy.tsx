import { Autocomplete, Button, Group, Modal, Radio, Stack, TextInput } from "@mantine/core";
import { type SyntheticEvent, useState } from "react";
import { PARTS } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { dotted } from "../draft/paths";
import { useEditing } from "../draft/usePolicy";
import { usePolicyWords } from "../words";
import { fitting } from "./suggestions";

interface Props {
  opened: boolean;
  onClose: () => void;
  onMade: (place: string) => void;
}

/** A strategy from nothing: where it stands, how it is called, and its primary model. */
export function NewStrategy({ opened, onClose, onMade }: Props) {
  const t = usePolicyWords();
  return (
    <Modal opened={opened} onClose={onClose} title={t("new_strategy")} centered>
      {opened ? <Questions onClose={onClose} onMade={onMade} /> : null}
    </Modal>
  );
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/;

function Questions({ onClose, onMade }: Omit<Props, "opened">) {
  const t = usePolicyWords();
  const parts = useWords(PARTS);
  const { change, form } = useEditing();
  const strategies = form?.strategies ?? [];
  const single = strategies.some((one) => one.path.length === 1);
  const [kind, setKind] = useState(single || strategies.length ? "named" : "single");
  const [name, setName] = useState("");
  const [model, setModel] = useState("");
  const named = kind === "named";
  const taken = strategies.some((one) => one.name === name);
  const wrong = name !== "" && !NAME.test(name) ? t("new_name_wrong") : taken ? t("new_name_taken") : undefined;
  const ready = model.trim() !== "" && (!named || (name !== "" && !wrong));
  const make = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!ready) return;
    const path = named ? ["strategies", name] : ["model_strategy"];
    change({ path, value: { primary_model: model.trim() } });
    onMade(dotted(path));
    onClose();
  };
  return (
    <form onSubmit={make}>
      <Stack>
        <Radio.Group label={t("new_kind")} value={kind} onChange={setKind}>
          <Stack gap="xs" mt="xs">
            <Radio value="single" label={t("new_single")} disabled={single} />
            <Radio value="named" label={t("new_named")} />
          </Stack>
        </Radio.Group>
        {named ? (
          <TextInput
            label={t("new_name")}
            description={t("new_name_hint")}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={wrong}
            spellCheck={false}
            data-autofocus
            required
          />
        ) : null}
        <Autocomplete
          label={t("new_model")}
          data={form?.models ?? []}
          limit={40}
          filter={fitting(model || undefined)}
          value={model}
          onChange={setModel}
          spellCheck={false}
          required
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {parts("cancel")}
          </Button>
          <Button type="submit" disabled={!ready}>
            {t("create")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
