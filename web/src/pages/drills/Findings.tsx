import { Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { get } from "~/api/client";
import { useTold } from "~/i18n/told";
import { IconInfoCircle } from "~/parts/icons";
import { Level } from "~/parts/Level";
import { Problem } from "~/parts/Problem";
import classes from "./drills.module.css";
import { byLevel, type Finding, type FindingLevel } from "./proofs";
import { useDrillWords, wordOf } from "./words";

/** What the configuration alone says of fallbacks, the worst first. */
export function Findings() {
  const t = useDrillWords();
  const { data, error, refetch } = useQuery({
    queryKey: ["drills", "check"],
    refetchInterval: 30_000,
    queryFn: ({ signal }) => get("/drills/check", { signal }),
  });
  return (
    <div className={classes.stack}>
      <Text size="sm" className="tg-soft">
        {t("check_means")}
      </Text>
      <Problem error={error} retry={() => void refetch()} />
      {data?.length === 0 ? (
        <Text className={`tg-panel ${classes.none}`}>
          <Level grade="good">{t("nothing_found")}</Level>
        </Text>
      ) : null}
      {byLevel(data ?? []).map(([level, findings]) => (
        <section key={level} className={`tg-panel ${classes.panel}`} aria-labelledby={`level-${level}`}>
          <Title order={2} id={`level-${level}`}>
            {t(`level_${level}`, { n: findings.length })}
          </Title>
          <ul className={classes.findings}>
            {findings.map((one) => (
              <Row key={JSON.stringify(one)} level={level} finding={one} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Row({ level, finding }: { level: FindingLevel; finding: Finding }) {
  const t = useDrillWords();
  const told = useTold();
  const word = wordOf(t, "code", finding.code);
  return (
    <li className={classes.finding}>
      <span>
        {level === "note" ? (
          <span className={classes.note}>
            <IconInfoCircle aria-hidden size={15} /> {word}
          </span>
        ) : (
          <Level grade={level === "error" ? "crit" : "warn"}>{word}</Level>
        )}
      </span>
      <strong>
        {finding.strategy} → {finding.target}
      </strong>
      <span>
        {told(finding.text)}
        {finding.prompt ? (
          <span className="tg-soft">
            {" "}
            ({finding.drill}: {finding.prompt})
          </span>
        ) : null}
      </span>
    </li>
  );
}
