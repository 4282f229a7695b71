import { Anchor, Badge, Group, Text, Title } from "@mantine/core";
import { Link } from "react-router";
import classes from "./drills.module.css";
import type { Drill } from "./proofs";
import { RunNow } from "./RunNow";
import { TargetTable } from "./TargetTable";
import { useDrillWords, wordOf } from "./words";

/** One drill: what it asks, of whom and when, and how each target stands by it. */
export function DrillCard({ drill }: { drill: Drill }) {
  const t = useDrillWords();
  const hours = /^every (.+) h$/.exec(drill.schedule)?.[1];
  return (
    <section className={`tg-panel ${classes.panel}`} aria-label={drill.name}>
      <div className={classes.head}>
        <div>
          <Group gap="xs">
            <Title order={2}>{drill.name}</Title>
            <span aria-live="polite">
              {drill.running ? (
                <Badge variant="light" radius="sm" tt="none">
                  {t("running")}
                </Badge>
              ) : null}
              {drill.waiting ? (
                <Badge variant="default" radius="sm" tt="none">
                  {t("waiting")}
                </Badge>
              ) : null}
            </span>
          </Group>
          <Text size="sm" className="tg-soft">
            {hours ? t("every", { n: Number(hours) }) : t("by_cron", { schedule: drill.schedule })}
            {" · "}
            {t("questions", { n: drill.prompts.length })}: {drill.prompts.join(", ")}
          </Text>
          <Text size="sm" className="tg-soft">
            {wordOf(t, "on_failure", drill.on_failure)}
          </Text>
        </div>
        <Group gap="sm">
          <Anchor component={Link} to={`/drills/runs/${encodeURIComponent(drill.name)}`} size="sm">
            {t("runs")}
          </Anchor>
          <RunNow drill={drill} />
        </Group>
      </div>
      <TargetTable drill={drill} />
    </section>
  );
}
