import { Button, Group, SegmentedControl, Text } from "@mantine/core";
import { useState } from "react";
import { usePolicyWords } from "../words";
import { MASK } from "../yaml/masks";
import classes from "./diff.module.css";
import { type Difference, pairsOf, type Row, type Side } from "./rows";

const MOST = 1_500; // rows shown at first

/** A difference, before beside after or one under the other. Signs, words and edges say what colours say. */
export function DiffView({ difference, label }: { difference: Difference; label: string }) {
  const t = usePolicyWords();
  const [split, setSplit] = useState(false);
  const [all, setAll] = useState(false);
  const rows = all ? difference.rows : difference.rows.slice(0, MOST);
  const hidden = difference.rows.length - rows.length;
  return (
    <div>
      <Group justify="space-between" mb="xs">
        <Group gap="sm">
          <Text size="sm" fw={600} className={classes.plus}>
            + {t("diff_added", { n: difference.added })}
          </Text>
          <Text size="sm" fw={600} className={classes.minus}>
            − {t("diff_removed", { n: difference.removed })}
          </Text>
        </Group>
        <SegmentedControl
          size="xs"
          aria-label={t("diff_view")}
          value={split ? "split" : "unified"}
          onChange={(next) => setSplit(next === "split")}
          data={[
            { value: "unified", label: t("diff_unified") },
            { value: "split", label: t("diff_split") },
          ]}
        />
      </Group>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by the keyboard */}
      <div className={classes.view} role="region" aria-label={label} tabIndex={0}>
        {split ? <Split rows={rows} /> : <Unified rows={rows} />}
      </div>
      {hidden > 0 ? (
        <Button variant="subtle" size="xs" mt="xs" onClick={() => setAll(true)}>
          {t("diff_more", { n: hidden })}
        </Button>
      ) : null}
    </div>
  );
}

const SIGNS = { same: " ", added: "+", removed: "−" } as const;

function Line({ row }: { row: Exclude<Side, undefined> }) {
  const t = usePolicyWords();
  return (
    <>
      <span aria-hidden className={classes.sign}>
        {SIGNS[row.kind]}
      </span>
      {row.kind === "same" ? null : <span className="tg-unseen">{t(`diff_line_${row.kind}`)}: </span>}
      <code>
        {row.text
          ? row.text.split(MASK).flatMap((piece, at) => (at ? [<Secret key={`${at} ${piece}`} />, piece] : [piece]))
          : " "}
      </code>
    </>
  );
}

function Secret() {
  const t = usePolicyWords();
  return (
    <span className={classes.secret} title={t("secret_title")}>
      ••• {t("secret")}
    </span>
  );
}

function Unified({ rows }: { rows: readonly Row[] }) {
  const t = usePolicyWords();
  return (
    <table className={classes.table}>
      <tbody>
        {rows.map((row, at) =>
          row.kind === "gap" ? (
            <tr key={`gap ${at}`} className={classes.gap}>
              <td colSpan={3}>{t("diff_gap", { n: row.many })}</td>
            </tr>
          ) : (
            <tr key={`${row.kind} ${row.before} ${row.after}`} data-kind={row.kind}>
              <td className={classes.number}>{row.before}</td>
              <td className={classes.number}>{row.after}</td>
              <td className={classes.text}>
                <Line row={row} />
              </td>
            </tr>
          ),
        )}
      </tbody>
    </table>
  );
}

function Split({ rows }: { rows: readonly Row[] }) {
  const t = usePolicyWords();
  const side = (one: Side, number: number | undefined) => (
    <>
      <td className={classes.number}>{number}</td>
      <td className={classes.text} data-kind={one?.kind ?? "none"}>
        {one ? <Line row={one} /> : null}
      </td>
    </>
  );
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          <th colSpan={2} scope="col">
            {t("diff_before")}
          </th>
          <th colSpan={2} scope="col">
            {t("diff_after")}
          </th>
        </tr>
      </thead>
      <tbody>
        {pairsOf(rows).map((pair, at) =>
          Array.isArray(pair) ? (
            <tr key={`${pair[0]?.before} ${pair[1]?.after}`}>
              {side(pair[0], pair[0]?.before)}
              {side(pair[1], pair[1]?.after)}
            </tr>
          ) : (
            <tr key={`gap ${at}`} className={classes.gap}>
              <td colSpan={4}>{t("diff_gap", { n: pair.many })}</td>
            </tr>
          ),
        )}
      </tbody>
    </table>
  );
}
