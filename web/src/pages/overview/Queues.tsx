import { Table, Text, Title } from "@mantine/core";
import type { LiveQueue, LiveState } from "~/api/contract";
import { useFormat } from "~/i18n/format";
import { gradeOf, Level } from "~/parts/Level";
import classes from "./Panels.module.css";
import { WAIT_MS } from "./standing";
import { useOverviewWords } from "./words";

const MOST = 12;

/** Tiers in order of their longest wait. */
const ordered = (queues: readonly LiveQueue[]) =>
  [...queues].sort((a, b) => b.wait_p99_ms - a.wait_p99_ms || b.waiting - a.waiting).slice(0, MOST);

/** Who waits, how long, in which tier. */
export function Queues({ state }: { state: LiveState }) {
  const t = useOverviewWords();
  const format = useFormat();
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="queues">
      <Title order={2} id="queues" className={classes.title}>
        {t("queues")}
      </Title>
      {state.queues.length === 0 ? (
        <Text className={classes.none}>{t("no_queue")}</Text>
      ) : (
        <Table className={classes.table} withRowBorders={false} horizontalSpacing={0} verticalSpacing={5}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("tier")}</Table.Th>
              <Table.Th>{t("model")}</Table.Th>
              <Table.Th ta="right">{t("now")}</Table.Th>
              <Table.Th ta="right">{t("p50")}</Table.Th>
              <Table.Th ta="right">{t("p99")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {ordered(state.queues).map((one) => (
              <Table.Tr key={`${one.pool} ${one.tier} ${one.model}`}>
                <Table.Td className={classes.name}>{one.tier}</Table.Td>
                <Table.Td className={classes.soft} title={`${one.model}, ${one.pool}`}>
                  {one.model}
                </Table.Td>
                <Table.Td ta="right">{format.number(one.waiting)}</Table.Td>
                <Table.Td ta="right">{format.milliseconds(one.wait_p50_ms)}</Table.Td>
                <Table.Td ta="right">
                  <Level grade={gradeOf(one.wait_p99_ms, ...WAIT_MS)}>{format.milliseconds(one.wait_p99_ms)}</Level>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </section>
  );
}
