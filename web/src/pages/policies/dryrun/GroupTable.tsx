import { Table, Title } from "@mantine/core";
import classes from "../policies.module.css";
import { usePolicyWords, type Word } from "../words";
import { Change, useMeanText } from "./Change";
import { FIGURES, figureOf } from "./figures";
import type { Report } from "./types";

const SHOWN = ["calls", "refused", "queued", "degraded", "moved", "cost"];
const MOST = 30;

/** The same figures for each namespace, strategy or tier; nothing where there is only one. */
export function GroupTable({ report, by }: { report: Report; by: "namespace" | "plan" | "tier" }) {
  const t = usePolicyWords();
  const text = useMeanText(report.currency);
  const groups = report.groups.filter((one) => one.by === by);
  if (groups.length < 2) return null;
  const figures = FIGURES.filter((one) => SHOWN.includes(one.key));
  return (
    <section className={`tg-panel ${classes.panel}`}>
      <Title order={3} size="h5" mb="xs">
        {t(`dry_by_${by}`)}
      </Title>
      <div className={classes.scroll}>
        <Table className={classes.figures}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("dry_name")}</Table.Th>
              {figures.map((one) => (
                <Table.Th key={one.key}>{t(`d_${one.key}` as Word)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {groups.slice(0, MOST).map((group) => (
              <Table.Tr key={group.name}>
                <Table.Th scope="row" fw={450}>
                  {group.name || "–"}
                </Table.Th>
                {figures.map((figure) => {
                  const [before, after] = [figureOf(group.before, figure), figureOf(group.after, figure)];
                  return (
                    <Table.Td key={figure.key}>
                      {text(figure, group.after, group.after_spread)}{" "}
                      {before === after ? null : <Change figure={figure} group={group} currency={report.currency} />}
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </section>
  );
}
