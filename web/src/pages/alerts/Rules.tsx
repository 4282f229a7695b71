import { Anchor, Badge, Code, Switch, Table, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import { useFormat } from "~/i18n/format";
import { Problem } from "~/parts/Problem";
import classes from "./alerts.module.css";
import { isFlag, meaningOf, measured, type Rule } from "./measure";
import { useRules } from "./queries";
import { useAlertWords, wordOf } from "./words";

/** Every rule, and what it means. */
export function Rules() {
  const t = useAlertWords();
  const { data, error, refetch } = useRules();
  const [off, setOff] = useState(true);
  const rows = data?.filter((one) => off || one.enabled) ?? [];
  return (
    <>
      <Problem error={error} retry={() => void refetch()} />
      <div className={classes.head}>
        <Text size="sm" className="tg-soft">
          {t("rules_mean")}{" "}
          <Anchor component={Link} to="/policies" size="sm">
            {t("to_policy")}
          </Anchor>
        </Text>
        <Switch label={t("also_off")} checked={off} onChange={(event) => setOff(event.currentTarget.checked)} />
      </div>
      <div className={`tg-panel ${classes.wide}`}>
        <Table fz="sm" verticalSpacing="xs" aria-label={t("tab_rules")}>
          <Table.Thead>
            <Table.Tr>
              {(["rule", "warning_at", "critical_at", "for", "clears", "meaning"] as const).map((title) => (
                <Table.Th key={title}>{t(title)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((one) => (
              <Line key={one.name} rule={one} />
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </>
  );
}

function Line({ rule }: { rule: Rule }) {
  const t = useAlertWords();
  const format = useFormat();
  const lasts = (seconds: number) => (seconds > 0 ? format.milliseconds(seconds * 1000) : t("at_once"));
  const at = (threshold: number | null | undefined) => {
    if (threshold === null || threshold === undefined) return <span className="tg-soft">–</span>;
    if (isFlag(rule.metric)) return t("yes");
    return `${rule.below ? "≤" : "≥"} ${measured(format, threshold, rule.unit)}`;
  };
  return (
    <Table.Tr data-off={!rule.enabled || undefined} className={classes.rule}>
      <Table.Td>
        <Code>{rule.name}</Code>
        {rule.enabled ? null : (
          <Badge ml="xs" variant="default" radius="sm" tt="none">
            {t("off")}
          </Badge>
        )}
        {rule.metric === rule.name ? null : (
          <Text size="xs" className="tg-soft">
            {rule.metric}
          </Text>
        )}
      </Table.Td>
      <Table.Td className={classes.figure}>{at(rule.warning)}</Table.Td>
      <Table.Td className={classes.figure}>{at(rule.critical)}</Table.Td>
      <Table.Td className={classes.figure}>{lasts(rule.for_seconds)}</Table.Td>
      <Table.Td className={classes.figure}>
        {isFlag(rule.metric) ? "" : `${format.percent(rule.clear_percent / 100)}${t("comma")}`}
        {lasts(rule.clear_seconds)}
      </Table.Td>
      <Table.Td className={classes.meaning}>
        {meaningOf(t, format, rule)}
        {wordOf(t, "deed", rule.metric) === rule.metric ? null : (
          <Text size="xs" className="tg-soft">
            {t("deed", { deed: wordOf(t, "deed", rule.metric) })}
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
