import { Anchor, Badge, Table, Text } from "@mantine/core";
import { Link } from "react-router";
import { useFormat } from "~/i18n/format";
import { useTold } from "~/i18n/told";
import { Level } from "~/parts/Level";
import { Moment } from "~/parts/Moment";
import classes from "./drills.module.css";
import { byStrategy, type Drill, endsSoon, gradeOfTarget, type Target } from "./proofs";
import { useDrillWords, wordOf } from "./words";

/** How each target of each strategy stands by one drill. */
export function TargetTable({ drill }: { drill: Drill }) {
  const t = useDrillWords();
  const groups = byStrategy(drill.targets);
  return (
    <div className={classes.wide}>
      <Table fz="sm" verticalSpacing="xs" aria-label={t("proofs_of", { drill: drill.name })}>
        <Table.Thead>
          <Table.Tr>
            {(["strategy", "target", "state", "score", "asked_last", "holds_until", "used", "why"] as const).map(
              (title) => (
                <Table.Th key={title}>{t(title)}</Table.Th>
              ),
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {groups.flatMap(([strategy, targets]) =>
            targets.map((one, index) => (
              <Line
                key={`${strategy} ${one.target}`}
                drill={drill.name}
                target={one}
                span={index === 0 ? targets.length : 0}
              />
            )),
          )}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Line({ drill, target, span }: { drill: string; target: Target; span: number }) {
  const t = useDrillWords();
  const told = useTold();
  const format = useFormat();
  const asked = target.state !== "unproved";
  const query = new URLSearchParams({ strategy: target.strategy, target: target.target });
  return (
    <Table.Tr>
      {span ? (
        <Table.Td rowSpan={span} className={classes.strategy}>
          {target.strategy}
        </Table.Td>
      ) : null}
      <Table.Td>
        <Anchor component={Link} to={`/drills/runs/${encodeURIComponent(drill)}?${query}`} size="sm">
          {target.target}
        </Anchor>
        {target.primary ? (
          <Badge ml="xs" variant="default" radius="sm" tt="none">
            {t("primary")}
          </Badge>
        ) : null}
      </Table.Td>
      <Table.Td>
        <Level grade={gradeOfTarget(target, Date.now())}>{wordOf(t, "state", target.state)}</Level>
      </Table.Td>
      <Table.Td className={classes.figure}>
        {asked ? t("of_100", { score: format.number(target.score, 1) }) : "–"}
      </Table.Td>
      <Table.Td className={classes.figure}>{target.run ? <Moment at={target.run} ago /> : "–"}</Table.Td>
      <Table.Td className={classes.figure}>
        <Until target={target} />
      </Table.Td>
      <Table.Td>
        {target.out ? <Level grade="crit">{t("left_out")}</Level> : <span className="tg-soft">{t("in_use")}</span>}
      </Table.Td>
      <Table.Td className={classes.why}>{told(target.why) || "–"}</Table.Td>
    </Table.Tr>
  );
}

function Until({ target }: { target: Target }) {
  const t = useDrillWords();
  if (!target.until) return "–";
  if (target.state === "expired") {
    return (
      <span>
        {t("ended")} <Moment at={target.until} ago />
      </span>
    );
  }
  return (
    <>
      <Moment at={target.until} />
      {endsSoon(target, Date.now()) ? (
        <Text component="div" size="xs">
          <Level grade="warn">
            {t("ends_soon")} <Moment at={target.until} ago />
          </Level>
        </Text>
      ) : null}
    </>
  );
}
