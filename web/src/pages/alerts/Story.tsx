import { Anchor, Text, Timeline, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { type Answer, get } from "~/api/client";
import { useFormat } from "~/i18n/format";
import { Facts } from "~/parts/Facts";
import { Moment } from "~/parts/Moment";
import { Page } from "~/parts/Page";
import { Problem } from "~/parts/Problem";
import classes from "./alerts.module.css";
import { Change } from "./Change";
import { Deeds } from "./Deeds";
import { Labels } from "./Labels";
import { meaningOf } from "./measure";
import { type Alert, type AlertEvent, useMetricOf, useRules } from "./queries";
import { Reading } from "./Reading";
import { Severity } from "./Severity";
import { Stage } from "./Stage";
import { useAlertWords, wordOf } from "./words";

type Told = Answer<"/alerts/{alert}">;

/** One alert: how it stands, what its rule means, and what became of it. */
export function Story() {
  const t = useAlertWords();
  const { alert = "" } = useParams();
  const metricOf = useMetricOf();
  const { data, error, refetch } = useQuery<Told>({
    queryKey: ["alerts", "one", alert],
    refetchInterval: 2_000,
    queryFn: ({ signal }) => get("/alerts/{alert}", { path: { alert }, signal }),
  });
  const now = data?.alert;
  const last = data?.events.at(0);
  const rule = now?.rule ?? last?.rule;
  const metric = now?.metric ?? (rule ? metricOf(rule).metric : "");
  return (
    <Page
      title={metric ? wordOf(t, "metric", metric) : t("alert")}
      lead={
        <Anchor component={Link} to="/alerts" size="sm">
          {t("back")}
        </Anchor>
      }
      actions={now && now.stage !== "resolved" ? <Deeds alert={now} /> : null}
    >
      <Problem error={error} retry={() => void refetch()} />
      {data && rule ? <Known alert={now ?? undefined} last={last} rule={rule} /> : null}
      {data ? <Events events={data.events} /> : null}
    </Page>
  );
}

function Known({ alert, last, rule }: { alert: Alert | undefined; last: AlertEvent | undefined; rule: string }) {
  const t = useAlertWords();
  const format = useFormat();
  const { data } = useRules();
  const known = data?.find((one) => one.name === rule);
  const on = alert && alert.stage !== "resolved" ? alert : undefined;
  const labels = alert?.labels ?? last?.labels ?? {};
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="facts">
      <Title order={2} id="facts">
        {t("facts")}
      </Title>
      <Facts
        of={[
          [
            t("state"),
            on ? (
              <span key="state" className={classes.line}>
                <Severity of={on.severity} /> <Stage alert={on} />
              </span>
            ) : (
              t("over")
            ),
          ],
          [t("value"), on ? <Reading key="value" {...on} /> : undefined],
          [t("where"), <Labels key="where" of={labels} />],
          [t("beyond_since"), on ? <Moment key="since" at={on.since} /> : undefined],
          [t("fired"), on?.fired ? <Moment key="fired" at={on.fired} /> : undefined],
          [
            t("taken"),
            on?.taken ? (
              <span key="taken">
                {t("taken_by", { name: on.taken_by ?? "?" })} <Moment at={on.taken} />
              </span>
            ) : undefined,
          ],
          [t("rule"), <code key="rule">{rule}</code>],
          [t("meaning"), known ? meaningOf(t, format, known) : t("rule_gone")],
        ]}
      />
    </section>
  );
}

function Events({ events }: { events: readonly AlertEvent[] }) {
  const t = useAlertWords();
  const metricOf = useMetricOf();
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="events">
      <Title order={2} id="events">
        {t("story")}
      </Title>
      {events.length === 0 ? <Text size="sm">{t("none_changed")}</Text> : null}
      <Timeline bulletSize={14} lineWidth={2}>
        {events.map((one) => (
          <Timeline.Item key={`${one.at} ${one.change}`} title={<Change of={one.change} severity={one.severity} />}>
            <Text size="sm">
              <Reading {...metricOf(one.rule)} value={one.value} threshold={one.threshold} />
              {one.by ? ` · ${t("by", { name: one.by })}` : ""}
            </Text>
            <Text size="xs" className="tg-soft">
              <Moment at={one.at} />
            </Text>
          </Timeline.Item>
        ))}
      </Timeline>
    </section>
  );
}
