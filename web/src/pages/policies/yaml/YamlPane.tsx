import { Group, Loader, Text } from "@mantine/core";
import { lazy, Suspense, useDeferredValue, useMemo, useState } from "react";
import classes from "../policies.module.css";
import { useEditing } from "../draft/usePolicy";
import { usePolicyWords } from "../words";
import { Problems } from "./Problems";
import { masksIn } from "./masks";

const Editor = lazy(() => import("./Editor"));

/** The YAML beside the controls, with what is wrong with it below. */
export function YamlPane() {
  const t = usePolicyWords();
  const { draft, act, may } = useEditing();
  const [goTo, setGoTo] = useState<{ line: number; column: number }>();
  const settled = useDeferredValue(draft.text);
  const masks = useMemo(() => masksIn(settled), [settled]);
  return (
    <section className={`tg-panel ${classes.yaml}`} aria-label={t("yaml")}>
      <Group justify="space-between" className={classes.yamlHead}>
        <Text fw={600}>{t("yaml")}</Text>
        <Text size="xs" className="tg-soft" ff="monospace" truncate>
          {draft.base.file}
        </Text>
      </Group>
      <div className={classes.editor}>
        <Suspense fallback={<Loader size="sm" m="md" role="status" aria-busy aria-label={t("yaml_loading")} />}>
          <Editor
            text={draft.text}
            onType={(text) => act({ do: "typed", text, at: Date.now() })}
            onUndo={() => act({ do: "undo" })}
            onRedo={() => act({ do: "redo" })}
            errors={draft.errors}
            warnings={draft.warnings}
            readOnly={!may}
            goTo={goTo}
          />
        </Suspense>
      </div>
      {masks ? (
        <Text size="xs" className={`tg-soft ${classes.note}`}>
          {t("yaml_secrets", { n: masks })}
        </Text>
      ) : null}
      <Problems errors={draft.errors} warnings={draft.warnings} onGo={setGoTo} />
    </section>
  );
}
