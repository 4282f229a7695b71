import { Alert, Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconAlertTriangle, IconCheck, IconCopy } from "~/parts/icons";
import classes from "./tenants.module.css";
import { useTenantWords } from "./words";

/** A new key, shown this once: only who says that it is kept closes the window. */
export function Secret({ name, value, onClose }: { name: string; value: string; onClose: () => void }) {
  const t = useTenantWords();
  const clipboard = useClipboard({ timeout: 2_000 });
  const Icon = clipboard.copied ? IconCheck : IconCopy;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("secret_title", { name })}
      size="lg"
      centered
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      <Stack>
        <Alert color="yellow" variant="light" icon={<IconAlertTriangle aria-hidden />}>
          {t("secret_text")}
        </Alert>
        <Group gap="xs" wrap="nowrap">
          <TextInput
            className={classes.secret}
            aria-label={t("secret_title", { name })}
            readOnly
            autoComplete="off"
            value={value}
            onFocus={(event) => event.target.select()}
          />
          <Button variant="default" leftSection={<Icon aria-hidden size={16} />} onClick={() => clipboard.copy(value)}>
            {t(clipboard.copied ? "copied" : "copy")}
          </Button>
        </Group>
        <Group justify="flex-end">
          <Button onClick={onClose}>{t("kept")}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
