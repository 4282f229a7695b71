import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { PARTS } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { Problem } from "~/parts/Problem";

interface Props {
  opened: boolean;
  title: string;
  /** What will happen, and whether it can be undone. */
  children: ReactNode;
  /** The verb: "Revoke". */
  action: string;
  danger?: boolean;
  /** Has to be typed first. */
  word?: string;
  onConfirm: () => Promise<unknown> | undefined;
  onClose: () => void;
}

/** Asks before something is done; stays open with the problem where it was refused. */
export function Confirm(props: Props) {
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={props.title} centered>
      {props.opened ? <Question {...props} /> : null}
    </Modal>
  );
}

function Question({ children, action, danger, word, onConfirm, onClose }: Props) {
  const t = useWords(PARTS);
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const act = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <Stack>
      <Text component="div" size="sm">
        {children}
      </Text>
      {word ? (
        <TextInput
          label={t("confirm_type", { word })}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      ) : null}
      <Problem error={error} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {t("cancel")}
        </Button>
        <Button
          data-autofocus={!word}
          {...(danger ? { color: "red.8" } : {})}
          loading={busy}
          disabled={Boolean(word) && typed !== word}
          onClick={() => void act()}
        >
          {action}
        </Button>
      </Group>
    </Stack>
  );
}
