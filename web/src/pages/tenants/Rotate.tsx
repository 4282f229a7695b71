import { Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { post } from "~/api/client";
import { Problem } from "~/parts/Problem";
import type { Key } from "./api";
import { useTenantWords } from "./words";

const OVERLAPS = ["0", "3600", "86400", "604800", "2592000"] as const;

interface Props {
  of: Key;
  onMade: (made: { name: string; key: string }) => void;
  onClose: () => void;
}

/** A successor for a key; the former one stays good for the overlap. */
export function Rotate({ of, onMade, onClose }: Props) {
  const t = useTenantWords();
  const [overlap, setOverlap] = useState<string>("86400");
  const [expires, setExpires] = useState("");
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const act = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const body = {
        overlap_seconds: Number(overlap),
        ...(expires ? { expires: new Date(expires).toISOString() } : {}),
      };
      const path = { namespace: of.namespace, key: of.name };
      const { made } = await post("/namespaces/{namespace}/keys/{key}/rotate", { path, body });
      onMade({ name: made.name, key: made.key });
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={t("rotate_title", { name: of.name })} centered closeOnClickOutside={false}>
      <Stack>
        <Text size="sm">{t("rotate_text")}</Text>
        <NativeSelect
          label={t("overlap")}
          value={overlap}
          data={OVERLAPS.map((value) => ({ value, label: t(`overlap_${value}`) }))}
          onChange={(event) => setOverlap(event.target.value)}
        />
        <TextInput
          type="datetime-local"
          label={t("f_expires")}
          description={t("f_moment_hint")}
          value={expires}
          onChange={(event) => setExpires(event.target.value)}
        />
        <Problem error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("cancel")}
          </Button>
          <Button loading={busy} onClick={() => void act()}>
            {t("rotate")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
