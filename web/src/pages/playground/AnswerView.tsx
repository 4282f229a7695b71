import { Alert, Group, Text, Title } from "@mantine/core";
import { useFormat } from "~/i18n/format";
import { useTold } from "~/i18n/told";
import { IconAlertTriangle } from "~/parts/icons";
import { Problem } from "~/parts/Problem";
import { explained } from "./explained";
import classes from "./playground.module.css";
import type { Play } from "./usePlay";
import { usePlayWords } from "./words";

/** The answer as it comes, or the refusal in its dialect with what it means. */
export function AnswerView({ play }: { play: Play }) {
  const t = usePlayWords();
  const format = useFormat();
  const { heard, state, status, raw } = play;
  const figures = [
    status ? t("status", { status: String(status) }) : "",
    play.firstMs === undefined ? "" : t("first_after", { time: format.milliseconds(play.firstMs) }),
    play.tookMs === undefined ? "" : t("took", { time: format.milliseconds(play.tookMs) }),
    heard.prompt === undefined && heard.completion === undefined
      ? ""
      : t("usage", { prompt: heard.prompt ?? 0, completion: heard.completion ?? 0 }),
    heard.finish ? t("finish", { why: heard.finish }) : "",
  ].filter(Boolean);
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="answer" aria-busy={state === "answering"}>
      <Group justify="space-between" mb="xs">
        <Title order={2} id="answer">
          {t("answer")}
        </Title>
        <span role="status" className={`tg-soft ${classes.small}`}>
          {t(`state_${state}`)}
        </span>
      </Group>
      <Problem error={play.problem} />
      {heard.error ? <Refusal play={play} /> : null}
      {heard.thought ? (
        <details className={classes.thought}>
          <summary>{t("thought")}</summary>
          <div className={classes.text}>{heard.thought}</div>
        </details>
      ) : null}
      {heard.text ? <div className={classes.text}>{heard.text}</div> : null}
      {heard.tools ? <pre className={classes.code}>{heard.tools}</pre> : null}
      {raw ? <pre className={classes.code}>{raw}</pre> : null}
      {state === "idle" ? <Text className="tg-soft">{t("idle_text")}</Text> : null}
      {figures.length ? <div className={`tg-soft ${classes.figures}`}>{figures.join(" · ")}</div> : null}
    </section>
  );
}

function Refusal({ play }: { play: Play }) {
  const t = usePlayWords();
  const told = useTold();
  const { error } = play.heard;
  if (!error) return null;
  const known = explained(error.code || error.type, play.status);
  return (
    <Alert color="red" variant="light" role="alert" mb="sm" icon={<IconAlertTriangle aria-hidden />} title={t(known)}>
      <Text size="sm">{told(error.message)}</Text>
      <Text size="xs" ff="monospace" mt={4}>
        {[play.status || "", error.type, error.code].filter(Boolean).join(" · ")}
      </Text>
    </Alert>
  );
}
