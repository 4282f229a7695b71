import { ActionIcon, Button, Group, Loader, Text, Tooltip } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useDeferredValue, useMemo, useState } from "react";
import { Level } from "~/parts/Level";
import { Needs } from "~/parts/Needs";
import { IconArrowBackUp, IconArrowForwardUp, IconDownload, IconTrash } from "~/parts/icons";
import { ApplyDialog } from "./apply/ApplyDialog";
import { differenceOf } from "./diff/rows";
import { isChecked } from "./draft/draft";
import { useEditing } from "./draft/usePolicy";
import classes from "./policies.module.css";
import { usePolicyWords } from "./words";

/** Always in sight: how the draft stands, and what can be done with it. */
export function Bar() {
  const t = usePolicyWords();
  const { draft, act, changed, may } = useEditing();
  const [applying, setApplying] = useState(false);
  const { base, text, errors, theirs } = draft;
  const ready = changed && isChecked(draft) && !errors.length && !theirs && base.writable;
  const discard = () => {
    act({ do: "replaced", text: base.text, base, at: Date.now() });
    notifications.show({ message: t("discard_text") });
  };
  return (
    <div className={`tg-panel ${classes.status}`}>
      <Standing />
      <Group gap="xs" wrap="nowrap">
        <Tooltip label={t("undo")}>
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={t("undo")}
            disabled={!may || !(draft.past.length || draft.pending.length)}
            onClick={() => act({ do: "undo" })}
          >
            <IconArrowBackUp size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={t("redo")}>
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={t("redo")}
            disabled={!may || !draft.future.length}
            onClick={() => act({ do: "redo" })}
          >
            <IconArrowForwardUp size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={t("discard")}>
          <ActionIcon variant="default" size="lg" aria-label={t("discard")} disabled={!changed} onClick={discard}>
            <IconTrash size={17} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={t("download")}>
          <ActionIcon variant="default" size="lg" aria-label={t("download")} onClick={() => download(base.file, text)}>
            <IconDownload size={17} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Needs right="change_policy">
          <Button disabled={!ready && may} onClick={() => setApplying(true)}>
            {t("apply")}
          </Button>
        </Needs>
      </Group>
      <ApplyDialog opened={applying} onClose={() => setApplying(false)} />
    </div>
  );
}

function download(file: string, text: string) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = file.split("/").at(-1) || "tidegate.yaml";
  link.click();
  URL.revokeObjectURL(address);
}

function Standing() {
  const t = usePolicyWords();
  const { draft, changed, checking } = useEditing();
  const { base } = draft;
  const text = useDeferredValue(draft.text); // a megabyte is not compared at every key
  const difference = useMemo(() => differenceOf(base.text, text, 0), [base.text, text]);
  const { added, removed } = difference;
  return (
    <div className={classes.standing}>
      <Text size="sm" fw={600} truncate title={base.file}>
        {t("in_force", { version: base.version, file: base.file.split("/").at(-1) ?? base.file })}
      </Text>
      <Group gap="xs" role="status">
        {changed ? <Text size="sm">{t("changed", { added, removed })}</Text> : null}
        {changed ? null : (
          <Text size="sm" className="tg-soft">
            {t("unchanged")}
          </Text>
        )}
        {checking.state === "done" ? <Verdict /> : <Waiting />}
      </Group>
    </div>
  );
}

function Verdict() {
  const t = usePolicyWords();
  const { draft, changed } = useEditing();
  const { errors, warnings } = draft;
  return (
    <>
      {errors.length ? <Level grade="crit">{t("wrong", { n: errors.length })}</Level> : null}
      {warnings.length ? <Level grade="warn">{t("warned", { n: warnings.length })}</Level> : null}
      {changed && !errors.length ? <Level grade="good">{t("checked")}</Level> : null}
    </>
  );
}

function Waiting() {
  const t = usePolicyWords();
  const { draft, checking } = useEditing();
  if (checking.state === "failed" || checking.state === "late") {
    const said = checking.state === "late" ? t("checking_late") : t("checking_failed");
    return (
      <>
        <Level grade="crit">{said}</Level>
        <Button size="compact-xs" variant="light" onClick={checking.retry}>
          {t("try_again")}
        </Button>
      </>
    );
  }
  const size = `${Math.max(1, Math.round(draft.text.length / 1000)).toLocaleString()} kB`;
  return (
    <Text size="sm" className="tg-soft" component="span">
      <Loader size={12} aria-hidden /> {checking.state === "slow" ? t("checking_slow", { size }) : t("checking")}
    </Text>
  );
}
