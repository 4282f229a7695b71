import { Title } from "@mantine/core";
import { useFormat } from "~/i18n/format";
import { type Known, stepsOf } from "./live";
import classes from "./playground.module.css";
import { usePlayWords } from "./words";

/** What becomes of the call while it runs, one stage below the other. */
export function Live({ play }: { play: Known }) {
  const t = usePlayWords();
  const format = useFormat();
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="live">
      <Title order={2} id="live" mb="xs">
        {t("live")}
      </Title>
      <ol className={classes.steps}>
        {stepsOf(play).map(({ word, key, atMs, times = {}, values = {}, kind }) => {
          const written = Object.entries(times).map(([name, time]) => [name, format.milliseconds(time)] as const);
          return (
            <li key={key} data-step={key} data-kind={kind}>
              <span className={classes.at}>{atMs === undefined ? "" : format.milliseconds(atMs)}</span>
              <span>{t(word, { ...values, ...Object.fromEntries(written) })}</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
