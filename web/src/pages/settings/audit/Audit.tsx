import { Button, Modal, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { type Answer, get } from "~/api/client";
import { type Column, DataTable } from "~/parts/DataTable";
import { Moment } from "~/parts/Moment";
import { Problem } from "~/parts/Problem";
import classes from "../settings.module.css";
import { useSettingsWords } from "../words";
import { Change } from "./Change";

export type Entry = Answer<"/audit">[number];
const FIELDS = ["actor", "action", "namespace"] as const;
const PAGE = 100;

/** Who changed what, page by page. */
export function Audit() {
  const t = useSettingsWords();
  const [params] = useSearchParams();
  const [opened, setOpened] = useState<Entry>();
  const wanted: Partial<Record<(typeof FIELDS)[number], string>> = {};
  for (const name of FIELDS) {
    const value = params.get(name)?.trim();
    if (value) wanted[name] = value;
  }
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ["settings", "audit", wanted],
    initialPageParam: 0,
    queryFn: ({ signal, pageParam }) =>
      get("/audit", { query: { ...wanted, limit: PAGE, before_id: pageParam }, signal }),
    getNextPageParam: (last) => (last.length === PAGE ? last.at(-1)?.id : undefined),
  });
  return (
    <>
      <div className={classes.head}>
        <Text size="sm" className="tg-soft">
          {t("audit_lead")}
        </Text>
        <div className={classes.filters}>
          {FIELDS.map((name) => (
            <Filter key={name} name={name} />
          ))}
        </div>
      </div>
      <Problem error={error} retry={() => void refetch()} />
      <div className="tg-panel">
        <DataTable
          label={t("tab_audit")}
          columns={useColumns()}
          rows={data?.pages.flat() ?? []}
          keyOf={(one) => String(one.id)}
          onOpen={setOpened}
          empty={t("no_audit")}
          height={560}
        />
        {hasNextPage ? (
          <div className={classes.more}>
            <Button variant="subtle" size="xs" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              {t("more")}
            </Button>
          </div>
        ) : null}
      </div>
      <Modal
        opened={opened !== undefined}
        onClose={() => setOpened(undefined)}
        title={t("change", { id: opened?.id ?? "" })}
        size="xl"
      >
        {opened ? <Change of={opened} /> : null}
      </Modal>
    </>
  );
}

function useColumns(): Column<Entry>[] {
  const t = useSettingsWords();
  return [
    { key: "at", title: t("at"), width: "1.2fr", cell: (one) => <Moment at={one.at} /> },
    { key: "actor", title: t("actor"), cell: (one) => one.actor },
    { key: "role", title: t("role"), width: "6rem", cell: (one) => one.role },
    { key: "action", title: t("action"), cell: (one) => <span className={classes.mono}>{one.action}</span> },
    { key: "namespace", title: t("namespace"), cell: (one) => one.namespace || "–" },
    { key: "target", title: t("target"), width: "1.4fr", cell: (one) => one.target || "–" },
    { key: "address", title: t("address"), cell: (one) => one.address || "–" },
  ];
}

/** One word that is asked for; the address holds it, so that it can be sent to somebody. */
function Filter({ name }: { name: (typeof FIELDS)[number] }) {
  const t = useSettingsWords();
  const [params, setParams] = useSearchParams();
  const [typed, setTyped] = useState(params.get(name) ?? "");
  const tell = useDebouncedCallback((value: string) => {
    setParams(
      (now) => {
        const next = new URLSearchParams(now);
        if (value.trim()) next.set(name, value.trim());
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  }, 300);
  const help = { actor: t("actor_help"), action: t("action_help"), namespace: t("actor_help") }[name];
  return (
    <TextInput
      size="xs"
      label={t(name)}
      placeholder={help}
      value={typed}
      onChange={(event) => {
        setTyped(event.target.value);
        tell(event.target.value);
      }}
    />
  );
}
