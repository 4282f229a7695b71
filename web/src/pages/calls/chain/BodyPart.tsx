import { Alert, Button, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Answer, get } from "~/api/client";
import { useFormat } from "~/i18n/format";
import { IconEye } from "~/parts/icons";
import { Moment } from "~/parts/Moment";
import { Needs } from "~/parts/Needs";
import { Problem } from "~/parts/Problem";
import classes from "../calls.module.css";
import { useCallWords } from "../words";
import { isAbsent } from "./useChain";

type Said = Answer<"/calls/{call}/body">;

/** JSON as people read it; anything else as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // a stream, or cut
  }
}

/** What a call said, redacted. Reading it stands in the audit, so it is only asked for when somebody says so. */
export function BodyPart({ call }: { call: string }) {
  const t = useCallWords();
  const [wanted, setWanted] = useState(false);
  const { data, error, isFetching } = useQuery<Said>({
    queryKey: ["calls", "body", call],
    enabled: wanted,
    retry: false,
    staleTime: Infinity,
    gcTime: 0,
    queryFn: ({ signal }) => get("/calls/{call}/body", { path: { call: call as unknown as number }, signal }),
  });
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="body">
      <Title order={2} id="body" mb="sm">
        {t("body")}
      </Title>
      {data ? null : (
        <>
          <Text size="sm" className="tg-soft" mb="xs">
            {t("body_audit")}
          </Text>
          <Needs right="see_bodies">
            <Button
              size="xs"
              variant="default"
              loading={isFetching}
              leftSection={<IconEye aria-hidden size={15} />}
              onClick={() => setWanted(true)}
            >
              {t("body_read")}
            </Button>
          </Needs>
        </>
      )}
      {isAbsent(error) ? (
        <Alert mt="sm" color="gray" role="status">
          {t("body_none")}
        </Alert>
      ) : (
        <Problem error={error} />
      )}
      {data ? <Shown said={data} /> : null}
    </section>
  );
}

function Shown({ said }: { said: Said }) {
  const t = useCallWords();
  const format = useFormat();
  return (
    <>
      <Text size="sm" className="tg-soft" mb="xs">
        {t(said.why === "error" ? "kept_error" : "kept_sample")} · {t("redactions", { n: said.redactions })} ·{" "}
        {t("kept_until")} <Moment at={said.expires} />
        {said.complete ? null : ` · ${t("incomplete")}`}
      </Text>
      <strong>{t("body_request", { size: format.number(said.request_bytes) })}</strong>
      <pre className={classes.body}>{pretty(said.request)}</pre>
      <strong>{t("body_answer", { size: format.number(said.answer_bytes) })}</strong>
      <pre className={classes.body}>{pretty(said.answer)}</pre>
    </>
  );
}
