import { Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ApiProblem } from "~/api/problem";
import { useFormat } from "~/i18n/format";
import { PARTS } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { Problem } from "~/parts/Problem";
import { DiffView } from "../diff/DiffView";
import { differenceOf } from "../diff/rows";
import { applyPolicy, getPolicy, policyKey } from "../draft/api";
import { useEditing } from "../draft/usePolicy";
import { Findings } from "../form/FieldFrame";
import { Notice } from "../Notice";
import classes from "../policies.module.css";
import { usePolicyWords } from "../words";

interface Props {
  opened: boolean;
  onClose: () => void;
}

/** The last look, a reason, and then every worker serves by it. */
export function ApplyDialog({ opened, onClose }: Props) {
  const t = usePolicyWords();
  return (
    <Modal opened={opened} onClose={onClose} title={t("apply_title")} size="xl" centered>
      {opened ? <LastLook onClose={onClose} /> : null}
    </Modal>
  );
}

function useApply(onClose: () => void) {
  const t = usePolicyWords();
  const format = useFormat();
  const queries = useQueryClient();
  const { draft, act } = useEditing();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const apply = async (comment: string) => {
    setBusy(true);
    setError(undefined);
    try {
      const { text, base } = draft;
      const done = await applyPolicy({
        base: base.digest,
        text,
        ...(comment.trim() ? { comment: comment.trim() } : {}),
      });
      const now = await getPolicy().catch(() => ({ ...base, text, digest: done.digest, version: done.version }));
      act({ do: "replaced", text: now.text, base: now, at: Date.now() });
      queries.setQueryData(policyKey, now);
      void queries.invalidateQueries({ queryKey: policyKey });
      notifications.show({
        color: "teal",
        title: t("applied", { version: done.version }),
        message: t("applied_text", { time: format.milliseconds(done.in_force_after_ms) }),
      });
      onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
      if (problem instanceof ApiProblem && problem.status === 409)
        void queries.invalidateQueries({ queryKey: policyKey });
    }
  };
  return { apply, busy, error };
}

function LastLook({ onClose }: { onClose: () => void }) {
  const t = usePolicyWords();
  const parts = useWords(PARTS);
  const { draft } = useEditing();
  const [comment, setComment] = useState("");
  const { apply, busy, error } = useApply(onClose);
  const difference = useMemo(() => differenceOf(draft.base.text, draft.text), [draft.base.text, draft.text]);
  const known = new Set(draft.base.warnings.map((one) => `${one.field} ${one.message}`));
  const fresh = draft.warnings.filter((one) => !known.has(`${one.field} ${one.message}`));
  const conflict = draft.theirs !== undefined;
  return (
    <Stack>
      <div className={classes.brief}>
        <DiffView difference={difference} label={t("diff_label")} />
      </div>
      {fresh.length ? (
        <Notice grade="warn" title={t("apply_warnings")}>
          <Findings errors={[]} warnings={fresh.slice(0, 20)} />
        </Notice>
      ) : null}
      <Textarea
        label={t("apply_comment")}
        description={t("apply_comment_hint")}
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
        maxLength={500}
        autosize
        maxRows={4}
        data-autofocus
      />
      {error ? (
        <div>
          <Text fw={600} mb="xs">
            {t("apply_refused")}
          </Text>
          <Problem error={error} />
        </div>
      ) : null}
      <Group justify="flex-end">
        {busy ? (
          <Text size="sm" className="tg-soft" role="status">
            {t("apply_busy")}
          </Text>
        ) : null}
        <Button variant="default" onClick={onClose}>
          {parts("cancel")}
        </Button>
        <Button loading={busy} disabled={conflict} onClick={() => void apply(comment)}>
          {t("apply_now")}
        </Button>
      </Group>
    </Stack>
  );
}
