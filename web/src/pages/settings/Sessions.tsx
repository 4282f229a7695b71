import { Badge, Button, Group, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Answer, del, get } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { type Column, DataTable } from "~/parts/DataTable";
import { Moment } from "~/parts/Moment";
import { Problem } from "~/parts/Problem";
import classes from "./settings.module.css";
import { useSettingsWords } from "./words";

type Session = Answer<"/sessions">[number];
const EVERY_MS = 15_000;

const LONGEST = 24;

/** What a browser calls itself, in a word or two: a row is as wide as what stands in it. */
export function browserOf(agent: string): string {
  const known = /(?:Edg|OPR|Firefox|HeadlessChrome|Chrome|Safari)\/\d+/.exec(agent)?.[0];
  return known?.replace("/", " ") ?? (agent.length > LONGEST ? `${agent.slice(0, LONGEST)}…` : agent);
}

/** Who is signed in, and the way to end it. */
export function Sessions() {
  const t = useSettingsWords();
  const queries = useQueryClient();
  const [ending, setEnding] = useState<Session | "all">();
  const { data, error, refetch } = useQuery({
    queryKey: ["settings", "sessions"],
    refetchInterval: EVERY_MS,
    queryFn: ({ signal }) => get("/sessions", { signal }),
  });
  const end = async (one: Session | "all") => {
    if (one === "all") await del("/sessions", {});
    else await del("/sessions/{session}", { path: { session: one.id } });
    await queries.invalidateQueries({ queryKey: ["settings", "sessions"] });
  };
  const one = ending === "all" ? undefined : ending;
  return (
    <>
      <div className={classes.head}>
        <Text size="sm" className="tg-soft">
          {t("session_lead")}
        </Text>
        <Button variant="default" onClick={() => setEnding("all")}>
          {t("end_all")}
        </Button>
      </div>
      <Problem error={error} retry={() => void refetch()} />
      <div className="tg-panel">
        <DataTable
          label={t("tab_sessions")}
          columns={useColumns(setEnding)}
          rows={data ?? []}
          keyOf={(row) => row.id}
        />
      </div>
      <Confirm
        opened={ending !== undefined}
        title={one ? t("end_title", { name: one.name }) : t("end_all_title")}
        action={t(one ? "end" : "end_all")}
        danger
        onConfirm={() => (ending ? end(ending) : undefined)}
        onClose={() => setEnding(undefined)}
      >
        {one ? t(one.own ? "end_own" : "end_text") : t("end_all_text")}
      </Confirm>
    </>
  );
}

function useColumns(end: (one: Session) => void): Column<Session>[] {
  const t = useSettingsWords();
  return [
    {
      key: "name",
      title: t("session"),
      width: "1.4fr",
      cell: (one) => (
        <Group gap={6} wrap="nowrap">
          <span title={one.subject ?? one.name}>{one.name}</span>
          {one.own ? (
            <Badge size="xs" variant="light">
              {t("own")}
            </Badge>
          ) : null}
        </Group>
      ),
      sort: (one) => one.name,
    },
    {
      key: "role",
      title: t("role"),
      cell: (one) => (one.namespace ? `${one.role}, ${one.namespace}` : one.role),
      sort: (one) => one.role,
    },
    { key: "by", title: t("by"), cell: (one) => t(one.by === "oidc" ? "by_oidc" : "by_token") },
    { key: "address", title: t("from"), cell: (one) => one.address, sort: (one) => one.address },
    {
      key: "agent",
      title: t("browser"),
      width: "1.6fr",
      cell: (one) => <span title={one.agent}>{browserOf(one.agent)}</span>,
    },
    { key: "seen", title: t("seen"), cell: (one) => <Moment at={one.seen} ago />, sort: (one) => one.seen },
    { key: "expires", title: t("expires"), width: "1.2fr", cell: (one) => <Moment at={one.expires} /> },
    {
      key: "end",
      title: t("actions"),
      width: "6rem",
      cell: (one) => (
        <Button
          size="compact-xs"
          variant="subtle"
          color="red"
          aria-label={`${t("end")}: ${one.name}, ${one.address}`}
          onClick={() => end(one)}
        >
          {t("end")}
        </Button>
      ),
    },
  ];
}
