import { Button, Group, Modal, NumberInput, SegmentedControl, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { post } from "~/api/client";
import { Problem } from "~/parts/Problem";
import { matchOf, textOf } from "./match";
import { useAlertWords } from "./words";

interface Props {
  opened: boolean;
  onClose: () => void;
  match: Readonly<Record<string, string>>;
}

const USUAL = { "60": "hour", "240": "four_hours", "1440": "day", "10080": "week" } as const;
type Usual = keyof typeof USUAL;
const MINUTES = Object.keys(USUAL) as Usual[];
const MOST = 525_600;

/** What is not told, for how long, and why. */
export function SilenceForm({ opened, onClose, match }: Props) {
  const t = useAlertWords();
  return (
    <Modal opened={opened} onClose={onClose} title={t("silence_title")} centered>
      {opened ? <Form onClose={onClose} match={match} /> : null}
    </Modal>
  );
}

function Form({ onClose, match }: Omit<Props, "opened">) {
  const t = useAlertWords();
  const queries = useQueryClient();
  const [text, setText] = useState(textOf(match));
  const [minutes, setMinutes] = useState(60);
  const [why, setWhy] = useState("");
  const wanted = matchOf(text);
  const make = useMutation({
    mutationFn: (of: Record<string, string>) => post("/alerts/silences", { body: { match: of, minutes, why } }),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ["alerts"] });
    },
  });
  const usual = [...MINUTES.map((value) => ({ value, label: t(USUAL[value]) })), { value: "", label: t("other_time") }];
  const long = Number.isInteger(minutes) && minutes >= 1 && minutes <= MOST;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted && long) make.mutate(wanted);
      }}
    >
      <Stack>
        <Text size="sm">{t("silence_means")}</Text>
        <Textarea
          label={t("silence_match")}
          description={t("silence_match_means")}
          rows={4}
          value={text}
          error={wanted || !text ? undefined : t("silence_wrong")}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <div>
          <SegmentedControl
            aria-label={t("silence_for")}
            fullWidth
            size="xs"
            data={usual}
            value={MINUTES.find((one) => one === String(minutes)) ?? ""}
            onChange={(value) => setMinutes(Number(value) || 30)}
          />
          <NumberInput
            mt="xs"
            label={t("silence_minutes")}
            min={1}
            max={MOST}
            allowDecimal={false}
            value={minutes}
            onChange={(value) => setMinutes(Number(value))}
          />
        </div>
        <TextInput
          label={t("why")}
          maxLength={256}
          value={why}
          onChange={(event) => setWhy(event.currentTarget.value)}
        />
        <Problem error={make.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("cancel")}
          </Button>
          <Button type="submit" disabled={!wanted || !long} loading={make.isPending}>
            {t("silence")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
