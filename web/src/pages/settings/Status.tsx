import { Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type Answer, get } from "~/api/client";
import { useFormat } from "~/i18n/format";
import { useTold } from "~/i18n/told";
import { Facts } from "~/parts/Facts";
import { Level } from "~/parts/Level";
import { Problem } from "~/parts/Problem";
import classes from "./settings.module.css";
import { useSettingsWords } from "./words";

type State = Answer<"/status">;
const EVERY_MS = 5_000;

/** How the gate stands: its processes, its ledger, and what is odd about its configuration. */
export function Status() {
  const { data, error, refetch } = useQuery({
    queryKey: ["settings", "status"],
    refetchInterval: EVERY_MS,
    queryFn: ({ signal }) => get("/status", { signal }),
  });
  return (
    <>
      <Problem error={error} retry={() => void refetch()} />
      {data ? (
        <>
          <div className={classes.grid}>
            <Gate state={data} />
            <Ledger state={data} />
          </div>
          <Workers state={data} />
          <Odd state={data} />
        </>
      ) : null}
    </>
  );
}

function Gate({ state }: { state: State }) {
  const t = useSettingsWords();
  const format = useFormat();
  const { data: now } = useQuery({
    queryKey: ["settings", "node"],
    queryFn: ({ signal }) => get("/live/now", { signal }),
  });
  const word = t(state.draining ? "draining" : state.ready ? "serving" : "not_serving");
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="gate">
      <Title order={2} id="gate">
        {t("gate")}
      </Title>
      <Facts
        of={[
          [
            t("state"),
            <Level key="state" grade={state.draining ? "warn" : state.ready ? "good" : "crit"}>
              {word}
            </Level>,
          ],
          [t("version"), state.version],
          [t("node"), now ? `${now.node}${now.clustered ? ` (${t("clustered")})` : ""}` : undefined],
          [t("configuration"), t("load_n", { n: state.configuration })],
          [t("restarts"), format.number(state.restarts)],
          [t("keys"), format.number(state.keys)],
        ]}
      />
    </section>
  );
}

function Ledger({ state }: { state: State }) {
  const t = useSettingsWords();
  const format = useFormat();
  const behind = state.journals.reduce((sum, one) => sum + one.lag_bytes, 0);
  const total = (of: "taken_calls" | "damaged_records" | "missed_segments") =>
    format.number(state.journals.reduce((sum, one) => sum + one[of], 0));
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="ledger">
      <Title order={2} id="ledger">
        {t("ledger")}
      </Title>
      <Facts
        of={[
          [t("database"), state.database],
          [
            t("state"),
            <Level key="state" grade={state.ledger_up ? "good" : "crit"}>
              {t(state.ledger_up ? "ledger_up" : "ledger_away")}
            </Level>,
          ],
          ["", state.ledger_problem ? <code key="problem">{state.ledger_problem}</code> : undefined],
          [
            t("behind"),
            <Level key="behind" grade={state.ledger_alarm ? "crit" : "good"}>
              {behind ? t("bytes", { n: behind }) : t("behind_none")}
              {state.ledger_alarm ? `: ${t("ledger_alarm")}` : ""}
            </Level>,
          ],
          [t("calls"), total("taken_calls")],
          [t("damaged"), total("damaged_records")],
          [t("missed"), total("missed_segments")],
          [
            t("changes"),
            <Level key="changes" grade={state.directory_behind ? "warn" : "good"}>
              {t(state.directory_behind ? "changes_behind" : "changes_known")}
            </Level>,
          ],
        ]}
      />
    </section>
  );
}

function Workers({ state }: { state: State }) {
  const t = useSettingsWords();
  const told = useTold();
  return (
    <section className={`tg-panel ${classes.panel} ${classes.scroll}`} aria-labelledby="workers">
      <Title order={2} id="workers">
        {t("workers")}
      </Title>
      <Table fz="sm">
        <Table.Thead>
          <Table.Tr>
            {(["worker", "state", "namespace", "port", "restarts"] as const).map((name) => (
              <Table.Th key={name}>{t(name)}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {state.workers.map((one) => (
            <Table.Tr key={one.number}>
              <Table.Td>{one.number}</Table.Td>
              <Table.Td>
                <Level grade={one.ready ? "good" : "crit"}>
                  {t(one.ready ? "ready" : "not_ready")}
                  {one.trouble ? `: ${told(one.trouble)}` : ""}
                </Level>
              </Table.Td>
              <Table.Td>{one.namespace || t("all_namespaces")}</Table.Td>
              <Table.Td>{one.port}</Table.Td>
              <Table.Td>{one.restarts}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}

function Odd({ state }: { state: State }) {
  const t = useSettingsWords();
  const told = useTold();
  const n = state.warnings.length;
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="warnings">
      <Title order={2} id="warnings">
        {n ? t("warnings", { n }) : t("no_warnings")}
      </Title>
      {n ? <Listed of={state.warnings.map(told)} /> : null}
      {state.hidden.length ? (
        <>
          <Text fw={600} size="sm" mt="md">
            {t("hidden")}
          </Text>
          <Text size="sm" className="tg-soft" mb={4}>
            {t("hidden_text")}
          </Text>
          <Listed of={state.hidden} />
        </>
      ) : null}
    </section>
  );
}

function Listed({ of }: { of: readonly string[] }) {
  return (
    <ul className={classes.list}>
      {of.map((one) => (
        <li key={one}>{one}</li>
      ))}
    </ul>
  );
}
