import { Table } from "@mantine/core";
import classes from "../calls.module.css";
import type { Stage } from "../types";
import { useCallWords } from "../words";
import { nameOf, timeOf } from "./explain";
import { useTeller } from "./useTeller";
import { Said } from "./Waterfall";

/** The same as the picture, as a table. */
export function StageTable({ stages }: { stages: readonly Stage[] }) {
  const t = useCallWords();
  const { format } = useTeller();
  return (
    <div className={classes.scroll}>
      <Table fz="sm" aria-label={t("stages")}>
        <Table.Thead>
          <Table.Tr>
            {(["stage", "begins_at", "lasted", "target", "what"] as const).map((name) => (
              <Table.Th key={name} scope="col">
                {t(name)}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {stages.map((stage, index) => (
            <Table.Tr key={`${index} ${stage.stage}`} className={classes.top}>
              <Table.Th scope="row">{nameOf(t, stage)}</Table.Th>
              <Table.Td className={classes.figure}>{timeOf(format, stage.at_us)}</Table.Td>
              <Table.Td className={classes.figure}>{stage.lasted_us ? timeOf(format, stage.lasted_us) : "–"}</Table.Td>
              <Table.Td>{stage.target || "–"}</Table.Td>
              <Table.Td>
                <Said stage={stage} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
