import { Button, Group, Loader, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useFormat } from "~/i18n/format";
import { Confirm } from "~/parts/Confirm";
import { Needs } from "~/parts/Needs";
import { Problem } from "~/parts/Problem";
import { DiffView } from "../diff/DiffView";
import { rowsOfUnified } from "../diff/rows";
import { getHistoryOf, getPolicy, historyKey, policyKey, restore } from "../draft/api";
import { useEditing } from "../draft/usePolicy";
import type { HistoryDetail } from "../types";
import { usePolicyWords } from "../words";

interface Props {
  id: string;
  onClose: () => void;
  onLoaded: () => void;
}

/** One version: what it changed, and the ways back to it. */
export function Version({ id, onClose, onLoaded }: Props) {
  const t = usePolicyWords();
  const found = useQuery({
    queryKey: [...historyKey, "one", id],
    queryFn: ({ signal }) => getHistoryOf(id, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Stack>
      <Problem error={found.error} retry={() => void found.refetch()} />
      {found.isLoading ? <Loader size="sm" role="status" aria-busy aria-label={t("loading")} /> : null}
      {found.data ? <Opened version={found.data} onClose={onClose} onLoaded={onLoaded} /> : null}
    </Stack>
  );
}

function Opened({ version, onClose, onLoaded }: { version: HistoryDetail } & Omit<Props, "id">) {
  const t = usePolicyWords();
  const format = useFormat();
  const queries = useQueryClient();
  const { draft, act, may } = useEditing();
  const [asked, setAsked] = useState(false);
  const difference = useMemo(() => rowsOfUnified(version.diff), [version.diff]);
  const when = format.moment(version.at);
  const inForce = version.digest === draft.base.digest;
  const back = async () => {
    const done = await restore(version.id, (draft.theirs ?? draft.base).digest);
    const now = await getPolicy();
    queries.setQueryData(policyKey, now);
    void queries.invalidateQueries({ queryKey: historyKey });
    notifications.show({
      color: "teal",
      title: t("applied", { version: done.version }),
      message: t("applied_text", { time: format.milliseconds(done.in_force_after_ms) }),
    });
  };
  const load = () => {
    act({ do: "replaced", text: version.text, at: Date.now() });
    notifications.show({ title: t("history_loaded"), message: t("history_loaded_text") });
    onLoaded();
  };
  return (
    <>
      <Group justify="space-between">
        <div>
          <Title order={2} size="h4">
            {when}
          </Title>
          <Text className="tg-soft">{[version.by, version.comment].filter(Boolean).join(" · ")}</Text>
        </div>
        <Group gap="xs">
          <Button variant="default" onClick={onClose}>
            {t("history_close")}
          </Button>
          <Button variant="default" onClick={load} disabled={!may}>
            {t("history_load")}
          </Button>
          <Needs right="change_policy">
            <Button onClick={() => setAsked(true)} disabled={may && (inForce || !draft.base.writable)}>
              {t("history_restore")}
            </Button>
          </Needs>
        </Group>
      </Group>
      {difference.rows.length ? (
        <DiffView difference={difference} label={t("history_diff")} />
      ) : (
        <Text className="tg-soft">{t("diff_none")}</Text>
      )}
      <Confirm
        opened={asked}
        title={t("history_restore_title", { when })}
        action={t("history_restore")}
        onConfirm={back}
        onClose={() => setAsked(false)}
      >
        {t("history_restore_text")}
      </Confirm>
    </>
  );
}
