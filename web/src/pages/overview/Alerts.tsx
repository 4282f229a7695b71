import { Anchor, Group, Text, Title } from "@mantine/core";
import { Link } from "react-router";
import type { LiveState } from "~/api/contract";
import { Level } from "~/parts/Level";
import { Moment } from "~/parts/Moment";
import classes from "./Panels.module.css";
import { useOverviewWords } from "./words";

/** What is wrong by the rules of the house. */
export function Alerts({ state }: { state: LiveState }) {
  const t = useOverviewWords();
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="alerts">
      <Group justify="space-between">
        <Title order={2} id="alerts" className={classes.title}>
          {t("alerts")}
        </Title>
        <Anchor component={Link} to="/alerts" size="sm">
          {t("all_alerts")}
        </Anchor>
      </Group>
      {state.alerts.length === 0 ? (
        <Text className={classes.none}>{t("no_alert")}</Text>
      ) : (
        <ul className={classes.list}>
          {state.alerts.map((one) => (
            <li key={one.id} className={classes.alert}>
              <Level grade={one.severity === "critical" ? "crit" : "warn"}>{one.rule}</Level>
              <span className={classes.name}>{one.subject}</span>
              <span className={classes.soft}>
                <Moment at={one.since} ago />
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
