import { useCallback, useState } from "react";
import { Page } from "~/parts/Page";
import { AnswerView } from "./AnswerView";
import { Beside } from "./Beside";
import { asked, FIRST, type Fields } from "./fields";
import { Form } from "./Form";
import { Live } from "./Live";
import classes from "./playground.module.css";
import { Snippets } from "./Snippets";
import { usePlay } from "./usePlay";
import { usePlayWords } from "./words";

export default function Playground() {
  const t = usePlayWords();
  const [fields, setFields] = useState<Fields>(FIRST);
  const { play, send, stop } = usePlay();
  const busy = play.state === "waiting" || play.state === "answering";
  const change = useCallback((part: Partial<Fields>) => setFields((now) => ({ ...now, ...part })), []);
  const ask = useCallback(() => {
    const body = asked(fields);
    if (typeof body === "string") return;
    const { dialect, namespace, user } = fields;
    void send({ dialect, body, namespace: namespace.trim(), user: user.trim() });
  }, [fields, send]);
  const live = play.state === "idle" ? null : <Live play={play} />;
  return (
    <Page title={t("title")} lead={t("lead")}>
      <div className={classes.both}>
        <div className={classes.stack}>
          <Form fields={fields} busy={busy} onChange={change} onSend={ask} onStop={stop} />
          <Snippets fields={fields} />
        </div>
        <div className={classes.stack}>
          <AnswerView play={play} />
          {play.call && !busy ? <Beside key={play.call} call={play.call} until={live} /> : live}
        </div>
      </div>
    </Page>
  );
}
