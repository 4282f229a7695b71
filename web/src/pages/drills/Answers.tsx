import { Anchor, Table, Text } from "@mantine/core";
import { Link } from "react-router";
import { useTold } from "~/i18n/told";
import { Level } from "~/parts/Level";
import classes from "./drills.module.css";
import { callOf, type Judged, judgedOf, type Run, type Verdict } from "./proofs";
import { useDrillWords, wordOf } from "./words";

/** The verdict on each answer of one run; answers themselves are not kept. */
export function Answers({ of, asked }: { of: Run["answers"]; asked: number }) {
  const t = useDrillWords();
  const answers = judgedOf(of);
  if (!answers.length) return <Text size="sm">{t("no_answers")}</Text>;
  return (
    <div className={classes.wide}>
      <Table fz="sm" aria-label={t("answers")}>
        <Table.Thead>
          <Table.Tr>
            {(["question", "way", "verdicts", "call"] as const).map((title) => (
              <Table.Th key={title}>{t(title)}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {answers.map((one, index) => (
            <Line key={`${one.call} ${index}`} answer={one} />
          ))}
        </Table.Tbody>
      </Table>
      <Text size="xs" mt="xs" className="tg-soft">
        {t("not_kept")} {answers.length < asked ? t("only_first", { n: answers.length }) : ""}
      </Text>
    </div>
  );
}

function Line({ answer }: { answer: Judged }) {
  const t = useDrillWords();
  const told = useTold();
  const call = callOf(answer.call);
  const way = answer.fault ? t("way_fault", { fault: wordOf(t, "fault", answer.fault) }) : t("way_itself");
  return (
    <Table.Tr>
      <Table.Td>{answer.prompt}</Table.Td>
      <Table.Td>
        {way}
        {answer.streamed ? ` (${t("streamed")})` : ""}
      </Table.Td>
      <Table.Td>
        {answer.problem ? <Level grade="crit">{told(answer.problem)}</Level> : null}
        <ul className={classes.verdicts}>
          {answer.verdicts.map((one, index) => (
            <li key={`${one.kind} ${index}`}>
              <Met verdict={one} />
            </li>
          ))}
        </ul>
      </Table.Td>
      <Table.Td>
        {call ? (
          <Anchor component={Link} to={`/calls/${call}`} size="sm" ff="monospace">
            {answer.call}
          </Anchor>
        ) : (
          answer.call || "–"
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function Met({ verdict }: { verdict: Verdict }) {
  const t = useDrillWords();
  const told = useTold();
  const weight = verdict.weight === 1 ? "" : ` ×${verdict.weight}`;
  const word = { true: "met", false: "missed", null: "not_found_out" } as const;
  const grade = { true: "good", false: "crit", null: "warn" } as const;
  const met = String(verdict.met) as keyof typeof word;
  return (
    <span>
      <Level grade={grade[met]}>{t(word[met])}</Level> {wordOf(t, "kind", verdict.kind)}
      {weight}
      {verdict.why ? <span className="tg-soft">: {told(verdict.why)}</span> : null}
    </span>
  );
}
