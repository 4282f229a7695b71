import { Anchor, Group, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { type Answer, get } from "~/api/client";
import { useFormat } from "~/i18n/format";
import { useTold } from "~/i18n/told";
import { Facts } from "~/parts/Facts";
import { Moment } from "~/parts/Moment";
import { Page } from "~/parts/Page";
import { Problem } from "~/parts/Problem";
import { Deeds } from "./Deeds";
import classes from "./jobs.module.css";
import { ENDED, StateBadge } from "./StateBadge";
import { useJobWords } from "./words";

type Known = Answer<"/jobs/{job}">;

/** One job: how it stands, and each time that it was handed out. */
export function Detail() {
  const t = useJobWords();
  const { job = "" } = useParams();
  const { data, error, refetch } = useQuery<Known>({
    queryKey: ["jobs", "one", job],
    refetchInterval: (query) => (query.state.data && ENDED.has(query.state.data.state) ? false : 2_000),
    queryFn: ({ signal }) => get("/jobs/{job}", { path: { job }, signal }),
  });
  return (
    <Page
      title={`${t("job")} ${job}`}
      lead={
        <Anchor component={Link} to="/jobs" size="sm">
          {t("back")}
        </Anchor>
      }
      actions={data ? <Deeds job={data} /> : null}
    >
      <Problem error={error} retry={() => void refetch()} />
      {data ? <Known job={data} /> : null}
      {data ? <Attempts job={data} /> : null}
    </Page>
  );
}

function Known({ job }: { job: Known }) {
  const t = useJobWords();
  const told = useTold();
  const format = useFormat();
  const at = (moment: string | null | undefined) => (moment ? <Moment at={moment} /> : undefined);
  const tokens = { prompt: format.number(job.prompt_tokens), completion: format.number(job.completion_tokens) };
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="facts">
      <Title order={2} id="facts">
        {t("facts")}
      </Title>
      <Facts
        of={[
          [
            t("state"),
            <Group key="state" gap="xs">
              <StateBadge state={job.state} />
              {job.cancelling ? <Text size="sm">{t("cancelling")}</Text> : null}
            </Group>,
          ],
          [t("reason"), told(job.reason)],
          [t("model"), job.model],
          [t("path"), <code key="path">{job.path}</code>],
          [t("namespace"), job.namespace],
          [t("user"), job.user],
          [t("key"), job.key],
          [t("queue"), job.backend],
          [t("priority"), job.priority],
          [t("tags"), job.tags.join(", ")],
          [t("batch"), job.batch],
          [t("line"), job.line || undefined],
          [t("custom_id"), job.custom_id],
          [t("status"), job.status || undefined],
          [t("tokens"), t("prompt_completion", tokens)],
          [t("crashes"), job.crashes || undefined],
          [t("created"), at(job.created)],
          [t("not_before"), at(job.not_before)],
          [t("started"), at(job.started)],
          [t("finished"), at(job.finished)],
          [t("deadline"), at(job.deadline)],
        ]}
      />
      {job.state === "done" ? (
        <Text size="sm" mt="sm" className="tg-soft">
          {t("result", { path: `/v1/jobs/${job.id}` })}
        </Text>
      ) : null}
    </section>
  );
}

function Attempts({ job }: { job: Known }) {
  const t = useJobWords();
  const told = useTold();
  const format = useFormat();
  const lasted = (one: Known["tried"][number]) =>
    one.began && one.ended ? format.milliseconds(new Date(one.ended).getTime() - new Date(one.began).getTime()) : "–";
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="attempts">
      <Title order={2} id="attempts">
        {t("attempts_of")}
      </Title>
      {job.tried.length === 0 ? <Text size="sm">{t("never")}</Text> : null}
      {job.tried.length > 0 ? (
        <Table fz="sm">
          <Table.Thead>
            <Table.Tr>
              {([t("number"), t("began"), t("lasted"), t("outcome"), t("reason"), t("call"), t("runner")] as const).map(
                (title) => (
                  <Table.Th key={title}>{title}</Table.Th>
                ),
              )}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {job.tried.map((one) => (
              <Table.Tr key={one.number}>
                <Table.Td>{one.number}</Table.Td>
                <Table.Td>{one.began ? <Moment at={one.began} /> : "–"}</Table.Td>
                <Table.Td>{lasted(one)}</Table.Td>
                <Table.Td>
                  {one.outcome}
                  {one.status ? ` (${one.status})` : ""}
                </Table.Td>
                <Table.Td>{told(one.reason) || "–"}</Table.Td>
                <Table.Td>
                  {one.call ? (
                    <Anchor component={Link} to={`/calls/${one.call}`} size="sm">
                      {one.call}
                    </Anchor>
                  ) : (
                    "–"
                  )}
                </Table.Td>
                <Table.Td>{one.runner}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      ) : null}
    </section>
  );
}
