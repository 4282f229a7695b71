import { Text } from "@mantine/core";
import type { LiveState } from "~/api/contract";
import { useFormat } from "~/i18n/format";
import { ICONS } from "~/parts/Level";
import { PARTS } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import classes from "./Now.module.css";
import { worded } from "./sentence";
import { gradeOfSentence } from "./standing";
import { useOverviewWords } from "./words";

/** One sentence that says what is happening. It is announced when it says something else, not when a figure moves. */
export function Now({ state, stale }: { state: LiveState; stale: boolean }) {
  const t = useOverviewWords();
  const parts = useWords(PARTS);
  const format = useFormat();
  const grade = gradeOfSentence(state.sentence);
  const text = worded(state.sentence, t, format);
  const Icon = ICONS[grade];
  return (
    <section className={classes.now} data-grade={grade} data-stale={stale || undefined}>
      <Icon className={classes.icon} size={26} stroke={1.8} aria-label={parts(grade)} role="img" />
      <div>
        <Text className={classes.sentence}>{text}</Text>
        <Text className={classes.node}>
          {t("node", {
            node: state.node,
            ready: state.workers.ready,
            of: state.workers.of,
            version: String(state.version),
          })}
          {state.clustered ? ` ${t("clustered")}` : null}
        </Text>
      </div>
      <div className="tg-unseen" role="status" key={`${state.sentence.code} ${grade}`}>
        {text}
      </div>
    </section>
  );
}
