import { Button, CopyButton, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Answer, type Body, get, post } from "~/api/client";
import { IconCheck, IconCopy } from "~/parts/icons";
import { Problem } from "~/parts/Problem";
import classes from "../settings.module.css";
import { useSettingsWords } from "../words";

type Made = Answer<"/tokens", "post">;
type Role = Body<"/tokens", "post">["role"];
const ROLES = ["viewer", "operator", "debugger", "owner", "admin"] as const satisfies readonly Role[];
const DAYS = 90;

interface Props {
  opened: boolean;
  onMade: () => void;
  onClose: () => void;
}

/** Asks for name, role and expiry; shows the token, once. */
export function NewToken({ opened, onMade, onClose }: Props) {
  const t = useSettingsWords();
  const [made, setMade] = useState<Made>();
  const close = () => {
    setMade(undefined);
    onClose();
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={made ? t("made_title", { name: made.name }) : t("new_token")}
      closeOnClickOutside={!made}
      centered
    >
      {made ? (
        <Shown made={made} onClose={close} />
      ) : (
        <Form
          onMade={(one) => {
            setMade(one);
            onMade();
          }}
        />
      )}
    </Modal>
  );
}

/** The day in the reader's own zone, as a field of type `date` has it. */
export function dayAfter(days: number, now = new Date()): string {
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

function Form({ onMade }: { onMade: (made: Made) => void }) {
  const t = useSettingsWords();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [namespace, setNamespace] = useState("");
  const [day, setDay] = useState(() => dayAfter(DAYS));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const { data: namespaces } = useQuery({
    queryKey: ["settings", "namespaces"],
    enabled: role === "owner",
    queryFn: ({ signal }) => get("/namespaces", { query: { limit: 1000 }, signal }),
  });
  const create = async () => {
    setBusy(true);
    setError(undefined);
    const until = day ? { expires: new Date(`${day}T00:00`).toISOString() } : {};
    const whose = role === "owner" && namespace ? { namespace } : {};
    try {
      onMade(await post("/tokens", { body: { name: name.trim(), role, ...whose, ...until } }));
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <Stack>
        <TextInput
          label={t("name")}
          description={t("name_help")}
          value={name}
          required
          maxLength={128}
          data-autofocus
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
        />
        <Select
          label={t("role")}
          description={t(`role_${role}`)}
          data={ROLES.map((one) => ({ value: one, label: one }))}
          value={role}
          allowDeselect={false}
          onChange={(value) => setRole(ROLES.find((one) => one === value) ?? "viewer")}
        />
        {role === "owner" ? (
          <Select
            label={t("namespace")}
            description={t("namespace_help")}
            searchable
            required
            data={(namespaces ?? []).map((one) => one.name)}
            value={namespace || null}
            onChange={(value) => setNamespace(value ?? "")}
          />
        ) : null}
        <TextInput
          type="date"
          label={t("expires")}
          description={t("expires_help")}
          value={day}
          min={dayAfter(1)}
          onChange={(event) => setDay(event.target.value)}
        />
        <Problem error={error} />
        <Group justify="flex-end">
          <Button type="submit" loading={busy}>
            {t("create")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Shown({ made, onClose }: { made: Made; onClose: () => void }) {
  const t = useSettingsWords();
  return (
    <Stack>
      <Text size="sm">{t("made_text")}</Text>
      <TextInput
        label={t("token")}
        value={made.token}
        readOnly
        classNames={{ input: classes.mono ?? "" }}
        onFocus={(event) => event.target.select()}
      />
      <Group justify="flex-end">
        <CopyButton value={made.token} timeout={3_000}>
          {({ copied, copy }) => (
            <Button
              data-autofocus
              leftSection={copied ? <IconCheck aria-hidden size={16} /> : <IconCopy aria-hidden size={16} />}
              onClick={copy}
            >
              {t(copied ? "copied" : "copy")}
            </Button>
          )}
        </CopyButton>
        <Button variant="default" onClick={onClose}>
          {t("close")}
        </Button>
      </Group>
    </Stack>
  );
}
