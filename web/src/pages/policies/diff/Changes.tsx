import { Text } from "@mantine/core";
import { useMemo } from "react";
import classes from "../policies.module.css";
import { useEditing } from "../draft/usePolicy";
import { usePolicyWords } from "../words";
import { DiffView } from "./DiffView";
import { differenceOf } from "./rows";

/** What applying would change. */
export function Changes() {
  const t = usePolicyWords();
  const { draft } = useEditing();
  const difference = useMemo(() => differenceOf(draft.base.text, draft.text), [draft.base.text, draft.text]);
  if (!difference.rows.length) {
    return (
      <div className={`tg-panel ${classes.empty}`}>
        <Text fw={600}>{t("diff_none")}</Text>
        <Text className="tg-soft">{t("diff_none_text")}</Text>
      </div>
    );
  }
  return (
    <section className={`tg-panel ${classes.panel}`}>
      <DiffView difference={difference} label={t("diff_label")} />
    </section>
  );
}
