import { List, Stack, Table, Text, Title } from "@mantine/core";
import { useFormat } from "~/i18n/format";
import { useTold } from "~/i18n/told";
import classes from "../policies.module.css";
import { usePolicyWords, type Word } from "../words";
import { Change, useFigureText, useMeanText } from "./Change";
import { FIGURES, type Figure, figureOf } from "./figures";
import { GroupTable } from "./GroupTable";
import type { Report } from "./types";

const moment = (us: number) => new Date(us / 1000);
const MOST = 50;

/** Before and after in figures, then who would be refused, what matched nothing, and how to read it. */
export function ReportView({ report }: { report: Report }) {
  const t = usePolicyWords();
  const format = useFormat();
  if (!report.calls || !report.groups[0]) return <Text>{t("dry_none")}</Text>;
  const from = format.moment(moment(report.from_us));
  const to = format.moment(moment(report.to_us));
  return (
    <Stack>
      <section className={`tg-panel ${classes.panel}`}>
        <Title order={3} size="h5" mb="xs">
          {t("dry_calls", { n: report.calls, from, to })}
        </Title>
        <Whole report={report} />
      </section>
      <GroupTable report={report} by="namespace" />
      <GroupTable report={report} by="plan" />
      <GroupTable report={report} by="tier" />
      <Sentences report={report} />
    </Stack>
  );
}

function Whole({ report }: { report: Report }) {
  const t = usePolicyWords();
  const text = useFigureText(report.currency);
  const mean = useMeanText(report.currency);
  const all = report.groups[0];
  if (!all) return null;
  const played = report.before === "current";
  const cells = (figure: Figure) => (
    <>
      <Table.Td>{text(figure, figureOf(report.recorded, figure))}</Table.Td>
      {played ? <Table.Td>{mean(figure, all.before, all.before_spread)}</Table.Td> : null}
      <Table.Td fw={600}>{mean(figure, all.after, all.after_spread)}</Table.Td>
      <Table.Td>
        <Change figure={figure} group={all} currency={report.currency} />
      </Table.Td>
    </>
  );
  return (
    <div className={classes.scroll}>
      <Table className={classes.figures}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("dry_figure")}</Table.Th>
            <Table.Th>{t("dry_recorded")}</Table.Th>
            {played ? <Table.Th>{t("dry_current")}</Table.Th> : null}
            <Table.Th>{t("dry_new")}</Table.Th>
            <Table.Th>{t("dry_change")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {FIGURES.map((figure) => (
            <Table.Tr key={figure.key}>
              <Table.Th scope="row" fw={450}>
                {t(`d_${figure.key}` as Word)}
              </Table.Th>
              {cells(figure)}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Sentences({ report }: { report: Report }) {
  const t = usePolicyWords();
  const told = useTold();
  const format = useFormat();
  const lines = (title: string, all: readonly string[], none?: string) =>
    all.length || none ? (
      <section className={`tg-panel ${classes.panel}`}>
        <Title order={3} size="h5" mb="xs">
          {title}
        </Title>
        {all.length ? (
          <List size="sm" spacing={4}>
            {all.slice(0, MOST).map((one) => (
              <List.Item key={one}>{one}</List.Item>
            ))}
          </List>
        ) : (
          <Text size="sm">{none}</Text>
        )}
        {all.length > MOST ? <Text size="sm">{t("more_problems", { n: all.length - MOST })}</Text> : null}
      </section>
    ) : null;
  const refused = report.findings.map((one) =>
    t("dry_finding", {
      rule: told(one.rule),
      calls: one.calls,
      namespace: one.namespace || t("dry_anybody"),
      from: format.moment(moment(one.first_us)),
      to: format.moment(moment(one.last_us)),
      answered: one.answered,
    }),
  );
  const doubt = report.groups.some((one) => one.unsure.length) ? [t("dry_unsure_text")] : [];
  const unmatched = report.unmatched.map((one) => `${told(one.kind)} ${one.name}: ${told(one.what)}`);
  return (
    <>
      {lines(t("dry_findings"), refused)}
      {lines(t("dry_unmatched"), unmatched, t("dry_unmatched_none"))}
      {lines(t("dry_notes"), [...doubt, ...report.notes.map(told)])}
    </>
  );
}
