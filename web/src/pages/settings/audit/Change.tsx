import { Stack, Table, Text } from "@mantine/core";
import { Facts } from "~/parts/Facts";
import { Moment } from "~/parts/Moment";
import classes from "../settings.module.css";
import { useSettingsWords } from "../words";
import type { Entry } from "./Audit";
import { differenceOf } from "./difference";

/** One change: who, and each field before and after. */
export function Change({ of }: { of: Entry }) {
  const t = useSettingsWords();
  const { lines, same } = differenceOf(of.before, of.after);
  return (
    <Stack>
      <Facts
        of={[
          [t("at"), <Moment key="at" at={of.at} />],
          [t("actor"), `${of.actor} (${of.role})`],
          [t("action"), <code key="action">{of.action}</code>],
          [t("namespace"), of.namespace],
          [t("target"), of.target],
          [t("address"), of.address],
        ]}
      />
      {lines.length ? (
        <div className={classes.scroll}>
          <Table fz="sm" layout="fixed">
            <Table.Thead>
              <Table.Tr>
                {(["field", "before", "after"] as const).map((name) => (
                  <Table.Th key={name}>{t(name)}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {lines.map((line) => (
                <Table.Tr key={line.field}>
                  <Table.Td className={classes.value}>{line.field}</Table.Td>
                  <Table.Td className={`${classes.value} ${line.before === undefined ? "" : classes.gone}`}>
                    {line.before ?? "–"}
                  </Table.Td>
                  <Table.Td className={`${classes.value} ${line.after === undefined ? "" : classes.come}`}>
                    {line.after ?? "–"}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      ) : (
        <Text size="sm">{t("nothing_told")}</Text>
      )}
      {same ? (
        <Text size="sm" className="tg-soft">
          {t("same_fields", { n: same })}
        </Text>
      ) : null}
    </Stack>
  );
}
