import { ActionIcon, Badge, Button, Checkbox, Group, Menu } from "@mantine/core";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { type Column, DataTable } from "~/parts/DataTable";
import { IconMenu2, IconPlus } from "~/parts/icons";
import { Moment } from "~/parts/Moment";
import { Needs, useMay } from "~/parts/Needs";
import { Problem } from "~/parts/Problem";
import { type Key, type Namespace, useKeys, useUse } from "./api";
import { Name } from "./Declared";
import { type Asked, KeyDeed } from "./KeyDeed";
import classes from "./tenants.module.css";
import { useUseColumns } from "./useColumns";
import { useTenantWords } from "./words";

const COLOURS = { active: "green", not_yet: "cyan", expired: "gray", revoked: "red" } as const;
const GOOD: ReadonlySet<string> = new Set(["active", "not_yet"]);

/** The keys of a namespace. A key is shown once, to who makes it. */
export function Keys({ of }: { of: Namespace }) {
  const t = useTenantWords();
  const may = useMay("change_accounts");
  const [params, setParams] = useSearchParams();
  const [asked, setAsked] = useState<Asked>();
  const all = params.has("all");
  const keys = useKeys(of.name);
  const { data: use } = useUse(of.name);
  const shown = (keys.data ?? []).filter((one) => all || GOOD.has(one.state));
  const columns: Column<Key>[] = [
    { key: "name", title: t("key"), width: "12rem", cell: (one) => <Name of={one} />, sort: (one) => one.name },
    {
      key: "hint",
      title: t("hint"),
      width: "7rem",
      cell: (one) => (one.hint ? <code className={classes.mono}>{one.hint}…</code> : "–"),
    },
    {
      key: "state",
      title: t("state"),
      width: "6.5rem",
      cell: (one) => (
        <Badge variant="light" radius="sm" tt="none" color={COLOURS[one.state]}>
          {t(one.state)}
        </Badge>
      ),
      sort: (one) => one.state,
    },
    { key: "user", title: t("user"), width: "5.5rem", cell: (one) => one.user ?? "–", sort: (one) => one.user ?? "" },
    {
      key: "expires",
      title: t("expires"),
      width: "6.5rem",
      cell: (one) => (one.expires ? <Moment at={one.expires} ago /> : t("never")),
      sort: (one) => one.expires ?? "9999",
    },
    ...useUseColumns<Key>("key", of, use ?? []),
    {
      key: "deeds",
      title: t("deeds"),
      width: "6rem",
      cell: (one) =>
        may && one.declared === "managed" && one.state !== "revoked" ? <KeyMenu of={one} onAsk={setAsked} /> : null,
    },
  ];
  return (
    <>
      <Group justify="space-between" mb="sm">
        <Checkbox
          label={t("hide_revoked")}
          checked={!all}
          onChange={(event) => setParams(event.currentTarget.checked ? {} : { all: "1" }, { replace: true })}
        />
        <Needs right="change_accounts">
          <Button size="xs" leftSection={<IconPlus aria-hidden size={14} />} onClick={() => setAsked({ deed: "new" })}>
            {t("new_key")}
          </Button>
        </Needs>
      </Group>
      <Problem error={keys.error} retry={() => void keys.refetch()} />
      <div className="tg-panel" aria-busy={keys.isPending}>
        <DataTable
          label={t("keys", { name: of.name })}
          columns={columns}
          rows={shown}
          keyOf={(one) => `${one.name} ${one.created ?? ""}`}
          empty={keys.isPending ? " " : t("no_keys")}
        />
      </div>
      {asked ? <KeyDeed of={of} asked={asked} onClose={() => setAsked(undefined)} /> : null}
    </>
  );
}

function KeyMenu({ of, onAsk }: { of: Key; onAsk: (asked: Asked) => void }) {
  const t = useTenantWords();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={t("deeds_of", { name: of.name })}>
          <IconMenu2 aria-hidden size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => onAsk({ deed: "change", key: of })}>{t("edit")}</Menu.Item>
        <Menu.Item onClick={() => onAsk({ deed: "rotate", key: of })}>{t("rotate")}</Menu.Item>
        <Menu.Item color="red" onClick={() => onAsk({ deed: "revoke", key: of })}>
          {t("revoke")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
