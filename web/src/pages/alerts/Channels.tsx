import { Alert, Anchor, Button, Code, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { type Answer, get, post } from "~/api/client";
import { useFormat } from "~/i18n/format";
import { useTold } from "~/i18n/told";
import { IconAlertTriangle, IconCircleCheck, IconSend } from "~/parts/icons";
import { Needs } from "~/parts/Needs";
import { Problem } from "~/parts/Problem";
import classes from "./alerts.module.css";
import type { Channel } from "./queries";
import { useAlertWords, wordOf } from "./words";

type Tested = Answer<"/alerts/channels/{channel}/test", "post">;

const SNIPPET = `alerts:
  language: zh
  zone: Asia/Shanghai
  channels:
    ops: {kind: dingtalk, url: "\${DINGTALK_URL}", secret: "\${DINGTALK_SECRET}"}`;

/** Who can be told, how that went, and a test of each. */
export function Channels() {
  const t = useAlertWords();
  const { data, error, refetch } = useQuery({
    queryKey: ["alerts", "channels"],
    refetchInterval: 5_000,
    queryFn: ({ signal }) => get("/alerts/channels", { signal }),
  });
  return (
    <>
      <Problem error={error} retry={() => void refetch()} />
      {data?.length === 0 ? <NoChannel /> : null}
      {data?.length ? (
        <Text size="sm" mb="md" className="tg-soft">
          {t("channels_mean")}
        </Text>
      ) : null}
      <div className={classes.cards}>
        {data?.map((one) => (
          <Card key={one.name} channel={one} />
        ))}
      </div>
    </>
  );
}

function NoChannel() {
  const t = useAlertWords();
  return (
    <section className={`tg-panel ${classes.panel}`}>
      <Title order={2}>{t("none_told")}</Title>
      <Text size="sm" mb="xs">
        {t("none_told_remedy")}{" "}
        <Anchor component={Link} to="/policies" size="sm">
          {t("to_policy")}
        </Anchor>
      </Text>
      <Code block>{SNIPPET}</Code>
    </section>
  );
}

function Card({ channel }: { channel: Channel }) {
  const t = useAlertWords();
  const format = useFormat();
  const queries = useQueryClient();
  const test = useMutation({
    mutationFn: () => post("/alerts/channels/{channel}/test", { path: { channel: channel.name } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["alerts", "channels"] }),
  });
  const figures = ["sent", "waiting", "retried", "failed", "repeated"] as const;
  return (
    <section className={`tg-panel ${classes.panel}`} aria-label={channel.name}>
      <div className={classes.head}>
        <div>
          <Title order={2}>{channel.name}</Title>
          <Text size="sm" className="tg-soft">
            {wordOf(t, "kind", channel.kind)} · {wordOf(t, "speaks", channel.language)}
          </Text>
        </div>
        <Needs right="change_alerts">
          <Button
            size="xs"
            variant="default"
            leftSection={<IconSend aria-hidden size={15} />}
            loading={test.isPending}
            onClick={() => test.mutate()}
          >
            {t("test")}
          </Button>
        </Needs>
      </div>
      <dl className={classes.figures}>
        {figures.map((one) => (
          <div key={one} title={t(`${one}_means`)}>
            <dt>{t(`f_${one}`)}</dt>
            <dd data-bad={(one === "failed" && channel.failed > 0) || undefined}>{format.number(channel[one])}</dd>
          </div>
        ))}
      </dl>
      <div aria-live="polite">
        {test.data ? <Said by={test.data} /> : null}
        <Problem error={test.error} />
      </div>
    </section>
  );
}

/** What the channel said to the test. */
function Said({ by }: { by: Tested }) {
  const t = useAlertWords();
  const told = useTold();
  const Icon = by.sent ? IconCircleCheck : IconAlertTriangle;
  return (
    <Alert color={by.sent ? "green" : "red"} variant="light" icon={<Icon aria-hidden />} p="xs">
      {by.sent ? t("test_sent") : t("test_failed", { problem: told(by.problem) })}
    </Alert>
  );
}
