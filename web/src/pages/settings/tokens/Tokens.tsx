import { Button, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Answer, del, get } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { type Column, DataTable } from "~/parts/DataTable";
import { IconPlus } from "~/parts/icons";
import { Level } from "~/parts/Level";
import { Moment } from "~/parts/Moment";
import { Problem } from "~/parts/Problem";
import classes from "../settings.module.css";
import { useSettingsWords } from "../words";
import { NewToken } from "./NewToken";

type Token = Answer<"/tokens">[number];

/** Who may manage the gate; none of the tokens themselves. */
export function Tokens() {
  const t = useSettingsWords();
  const queries = useQueryClient();
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<string>();
  const { data, error, refetch } = useQuery({
    queryKey: ["settings", "tokens"],
    queryFn: ({ signal }) => get("/tokens", { signal }),
  });
  const again = () => queries.invalidateQueries({ queryKey: ["settings", "tokens"] });
  return (
    <>
      <div className={classes.head}>
        <Text size="sm" className="tg-soft">
          {t("token_lead")}
        </Text>
        <Button leftSection={<IconPlus aria-hidden size={16} />} onClick={() => setMaking(true)}>
          {t("new_token")}
        </Button>
      </div>
      <Problem error={error} retry={() => void refetch()} />
      <div className="tg-panel">
        <DataTable
          label={t("tab_tokens")}
          columns={useColumns(setRevoking)}
          rows={data ?? []}
          keyOf={(one) => one.name}
        />
      </div>
      <NewToken opened={making} onMade={() => void again()} onClose={() => setMaking(false)} />
      <Confirm
        opened={revoking !== undefined}
        title={t("revoke_title", { name: revoking ?? "" })}
        action={t("revoke")}
        danger
        onConfirm={async () => {
          await del("/tokens/{token}", { path: { token: revoking ?? "" } });
          await again();
        }}
        onClose={() => setRevoking(undefined)}
      >
        {t("revoke_text")}
      </Confirm>
    </>
  );
}

function useColumns(revoke: (name: string) => void): Column<Token>[] {
  const t = useSettingsWords();
  return [
    { key: "name", title: t("name"), width: "1.4fr", cell: (one) => one.name, sort: (one) => one.name },
    { key: "role", title: t("role"), cell: (one) => one.role, sort: (one) => one.role },
    {
      key: "namespace",
      title: t("namespace"),
      cell: (one) => one.namespace ?? "–",
      sort: (one) => one.namespace ?? "",
    },
    {
      key: "created",
      title: t("created"),
      cell: (one) => (one.created ? <Moment at={one.created} ago /> : "–"),
      sort: (one) => one.created ?? "",
    },
    { key: "used", title: t("used"), cell: (one) => (one.used ? <Moment at={one.used} ago /> : t("never")) },
    { key: "expires", title: t("expires"), cell: (one) => <Expiry at={one.expires ?? ""} /> },
    {
      key: "revoke",
      title: t("actions"),
      width: "7rem",
      cell: (one) => (
        <Button
          size="compact-xs"
          variant="subtle"
          color="red"
          aria-label={`${t("revoke")}: ${one.name}`}
          onClick={() => revoke(one.name)}
        >
          {t("revoke")}
        </Button>
      ),
    },
  ];
}

function Expiry({ at }: { at: string }) {
  const t = useSettingsWords();
  const [now] = useState(() => Date.now());
  if (!at) return t("never");
  if (new Date(at).getTime() <= now) return <Level grade="warn">{t("expired")}</Level>;
  return <Moment at={at} />;
}
