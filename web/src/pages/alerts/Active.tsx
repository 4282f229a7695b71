import { Anchor, Switch, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import { get } from "~/api/client";
import { Moment } from "~/parts/Moment";
import { Problem } from "~/parts/Problem";
import classes from "./alerts.module.css";
import { Deeds } from "./Deeds";
import { Labels } from "./Labels";
import type { Alert } from "./queries";
import { Reading } from "./Reading";
import { Severity } from "./Severity";
import { Stage } from "./Stage";
import { useAlertWords, wordOf } from "./words";

/** What is on, the worst first. */
export function Active() {
  const t = useAlertWords();
  const [params, setParams] = useSearchParams();
  const pending = params.get("pending") === "1";
  const { data, error, refetch } = useQuery({
    queryKey: ["alerts", "active", pending],
    refetchInterval: 2_000,
    queryFn: ({ signal }) => get("/alerts", { query: { pending }, signal }),
  });
  return (
    <>
      <Switch
        mb="md"
        label={t("also_pending")}
        checked={pending}
        onChange={(event) => setParams(event.currentTarget.checked ? { pending: "1" } : {}, { replace: true })}
      />
      <Problem error={error} retry={() => void refetch()} />
      {data?.length === 0 ? (
        <Text className={`tg-panel ${classes.none}`}>{t(pending ? "none_pending" : "none_active")}</Text>
      ) : null}
      <ul className={classes.list} aria-label={t("tab_active")}>
        {data?.map((one) => (
          <li key={one.id} className={`tg-panel ${classes.alert}`}>
            <Row alert={one} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Row({ alert }: { alert: Alert }) {
  const t = useAlertWords();
  return (
    <>
      <div className={classes.what}>
        <div className={classes.line}>
          <Severity of={alert.severity} />
          <Anchor component={Link} to={`/alerts/${alert.id}`} fw={600}>
            {wordOf(t, "metric", alert.metric)}
          </Anchor>
          {alert.rule === alert.metric ? null : <code>{alert.rule}</code>}
          <Stage alert={alert} />
        </div>
        <div className={classes.line}>
          <Reading {...alert} />
          <Labels of={alert.labels} />
        </div>
        <Text size="xs" className="tg-soft">
          {t("since")} <Moment at={alert.since} ago />
          {alert.taken ? (
            <>
              {t("stop")}
              {t("taken_by", { name: alert.taken_by ?? "?" })} <Moment at={alert.taken} ago />
            </>
          ) : null}
        </Text>
      </div>
      <Deeds alert={alert} />
    </>
  );
}
