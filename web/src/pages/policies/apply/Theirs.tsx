import { Button, Group, Modal, Radio, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMemo, useState } from "react";
import { DiffView } from "../diff/DiffView";
import { conflictsOf, merged, mergedText, type Piece } from "../diff/merge";
import { differenceOf } from "../diff/rows";
import { useEditing } from "../draft/usePolicy";
import { Notice } from "../Notice";
import classes from "../policies.module.css";
import type { Policy } from "../types";
import { usePolicyWords } from "../words";

/** Somebody else applied something meanwhile: said at once, and brought together when one wants to. */
export function Theirs() {
  const t = usePolicyWords();
  const { draft } = useEditing();
  const [opened, setOpened] = useState(false);
  const { theirs } = draft;
  if (!theirs) return null;
  return (
    <>
      <Notice
        grade="warn"
        title={t("theirs_title")}
        role="alert"
        action={
          <Button size="xs" onClick={() => setOpened(true)}>
            {t("theirs_look")}
          </Button>
        }
      >
        {t("theirs_text", { version: theirs.version })}
      </Notice>
      <Modal opened={opened} onClose={() => setOpened(false)} title={t("conflict_title")} size="xl" centered>
        {opened ? <Together theirs={theirs} onClose={() => setOpened(false)} /> : null}
      </Modal>
    </>
  );
}

type Choice = "mine" | "theirs";

function Together({ theirs, onClose }: { theirs: Policy; onClose: () => void }) {
  const t = usePolicyWords();
  const { draft, act } = useEditing();
  const { base, text } = draft;
  const theirChange = useMemo(() => differenceOf(base.text, theirs.text), [base.text, theirs.text]);
  const pieces = useMemo(() => merged(base.text, text, theirs.text), [base.text, text, theirs.text]);
  const conflicts = conflictsOf(pieces);
  const [choices, setChoices] = useState<(Choice | undefined)[]>([]);
  const undecided = conflicts.some((_, at) => choices[at] === undefined);
  const take = (next: string, said: "merged" | undefined) => {
    act({ do: "replaced", text: next, base: theirs, at: Date.now() });
    if (said) notifications.show({ color: "teal", title: t("merged_note"), message: t("merged_text") });
    onClose();
  };
  return (
    <Stack>
      <Text fw={600}>{t("conflict_theirs")}</Text>
      <div className={classes.brief}>
        <DiffView difference={theirChange} label={t("conflict_theirs")} />
      </div>
      <Text>{conflicts.length ? t("conflict_some", { n: conflicts.length }) : t("conflict_clean")}</Text>
      {conflicts.map((one, at) => (
        <Place
          key={`${at} ${one.mine.length} ${one.theirs.length}`}
          number={at + 1}
          piece={one}
          choice={choices[at]}
          onChoose={(choice) => setChoices((now) => Object.assign([...now], { [at]: choice }))}
        />
      ))}
      <Group justify="space-between">
        <Text size="xs" className="tg-soft">
          {t("take_theirs_text")}
        </Text>
        <Group gap="xs">
          <Button variant="default" onClick={() => take(theirs.text, undefined)}>
            {t("take_theirs")}
          </Button>
          <Button
            disabled={undecided}
            onClick={() =>
              take(
                mergedText(
                  pieces,
                  choices.map((one) => one ?? "mine"),
                ),
                "merged",
              )
            }
          >
            {t("merge")}
          </Button>
        </Group>
      </Group>
    </Stack>
  );
}

interface PlaceProps {
  number: number;
  piece: Extract<Piece, { kind: "conflict" }>;
  choice: Choice | undefined;
  onChoose: (choice: Choice) => void;
}

function Place({ number, piece, choice, onChoose }: PlaceProps) {
  const t = usePolicyWords();
  const option = (value: Choice, lines: readonly string[], label: string) => (
    <Radio.Card value={value} className={classes.option} aria-label={`${t("conflict_place", { n: number })}: ${label}`}>
      <Group gap="xs">
        <Radio.Indicator />
        <Text size="sm" fw={600}>
          {label}
        </Text>
      </Group>
      <pre>{lines.join("\n") || t("conflict_nothing")}</pre>
    </Radio.Card>
  );
  return (
    <Radio.Group label={t("conflict_place", { n: number })} value={choice ?? null} onChange={(next) => onChoose(next)}>
      <div className={classes.options}>
        {option("mine", piece.mine, t("conflict_mine"))}
        {option("theirs", piece.theirs, t("conflict_their"))}
      </div>
    </Radio.Group>
  );
}
