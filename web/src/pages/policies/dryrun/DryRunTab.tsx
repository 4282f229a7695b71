import { Button, Group, Progress, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { IconPlayerPlay } from "~/parts/icons";
import { Needs } from "~/parts/Needs";
import { Problem } from "~/parts/Problem";
import { Range, type Span } from "~/parts/Range";
import { PARTS } from "~/i18n/catalogues";
import { useTold } from "~/i18n/told";
import { useWords } from "~/i18n/words";
import { isChecked } from "../draft/draft";
import { useEditing } from "../draft/usePolicy";
import { Notice } from "../Notice";
import classes from "../policies.module.css";
import { usePolicyWords } from "../words";
import { ReportView } from "./ReportView";
import type { DryRun } from "./types";
import { useDryRun } from "./useDryRun";

const SPANS = ["1h", "24h", "7d"] as const satisfies readonly Span[];

/** What would this text have done with the calls of lately? */
export function DryRunTab() {
  const t = usePolicyWords();
  const parts = useWords(PARTS);
  const { draft, may } = useEditing();
  const { run, going, busy, error, stale, start, cancel } = useDryRun();
  const [span, setSpan] = useState<(typeof SPANS)[number]>("24h");
  const wrong = draft.errors.length > 0;
  return (
    <Stack>
      <section className={`tg-panel ${classes.panel}`}>
        <Stack gap="sm">
          <div>
            <Title order={2} size="h4">
              {t("dry_title")}
            </Title>
            <Text className="tg-soft">{t("dry_text")}</Text>
          </div>
          <Group>
            <Text size="sm">{t("dry_period")}</Text>
            <Range
              value={span}
              onChange={setSpan}
              choices={SPANS.map((value) => ({ value, label: parts(`range_${value}`) }))}
            />
            <Needs right="change_policy">
              <Button
                leftSection={<IconPlayerPlay size={16} aria-hidden />}
                loading={busy}
                disabled={may && (going || wrong || !isChecked(draft))}
                onClick={() => void start(span)}
              >
                {t("dry_start")}
              </Button>
            </Needs>
            {going ? (
              <Button variant="default" onClick={() => void cancel()} disabled={!may}>
                {t("dry_cancel")}
              </Button>
            ) : null}
          </Group>
          {wrong ? <Text size="sm">{t("dry_errors")}</Text> : null}
          <Problem error={error} />
          <Progressing run={run} going={going} />
        </Stack>
      </section>
      {run?.state === "done" && run.report ? (
        <>
          {stale ? <Notice grade="warn">{t("dry_stale")}</Notice> : null}
          <ReportView report={run.report} />
        </>
      ) : null}
    </Stack>
  );
}

function Progressing({ run, going }: { run: DryRun | undefined; going: boolean }) {
  const t = usePolicyWords();
  const told = useTold();
  if (going) {
    const percent = run?.percent ?? 0;
    const text = t("dry_running", { percent });
    return (
      <div role="status">
        <Text size="sm" mb={4}>
          {text}
        </Text>
        <Progress value={percent} aria-label={text} transitionDuration={300} />
      </div>
    );
  }
  if (run?.state === "cancelled") return <Text role="status">{t("dry_cancelled")}</Text>;
  if (run?.state === "failed") {
    return (
      <Notice grade="crit" role="alert" title={t("dry_failed")}>
        {told(run.why ?? "")}
      </Notice>
    );
  }
  return null;
}
