import { Button, Group, Menu, ActionIcon } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { del, patch, post } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { type Column, DataTable } from "~/parts/DataTable";
import { IconMenu2, IconPlus } from "~/parts/icons";
import { Needs, useMay } from "~/parts/Needs";
import { Problem } from "~/parts/Problem";
import { type Namespace, type User, useUse, useUsers } from "./api";
import { Name } from "./Declared";
import { bodyOf, type Draft, draftOf, named, patchOf, USER } from "./fields";
import { Form } from "./Form";
import { useUseColumns } from "./useColumns";
import { useTenantWords } from "./words";

const NEW = named(USER);
type Asked = { deed: "new" } | { deed: "change" | "delete"; user: User };

/** The users of a namespace, and what each has used. */
export function Users({ of }: { of: Namespace }) {
  const t = useTenantWords();
  const may = useMay("change_accounts");
  const [asked, setAsked] = useState<Asked>();
  const users = useUsers(of.name);
  const { data: use } = useUse(of.name);
  const columns: Column<User>[] = [
    { key: "name", title: t("user"), width: "1.4fr", cell: (one) => <Name of={one} />, sort: (one) => one.name },
    { key: "models", title: t("models"), cell: (one) => one.models.join(", ") || t("all_models") },
    ...useUseColumns<User>("user", of, use ?? []),
    {
      key: "deeds",
      title: t("deeds"),
      width: "6rem",
      cell: (one) => (may && one.declared === "managed" ? <UserMenu of={one} onAsk={setAsked} /> : null),
    },
  ];
  return (
    <>
      <Group justify="flex-end" mb="sm">
        <Needs right="change_accounts">
          <Button size="xs" leftSection={<IconPlus aria-hidden size={14} />} onClick={() => setAsked({ deed: "new" })}>
            {t("new_user")}
          </Button>
        </Needs>
      </Group>
      <Problem error={users.error} retry={() => void users.refetch()} />
      <div className="tg-panel" aria-busy={users.isPending}>
        <DataTable
          label={t("users", { name: of.name })}
          columns={columns}
          rows={users.data ?? []}
          keyOf={(one) => one.name}
          empty={users.isPending ? " " : t("no_users")}
        />
      </div>
      {asked ? <Deed namespace={of.name} asked={asked} onClose={() => setAsked(undefined)} /> : null}
    </>
  );
}

function UserMenu({ of, onAsk }: { of: User; onAsk: (asked: Asked) => void }) {
  const t = useTenantWords();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={t("deeds_of", { name: of.name })}>
          <IconMenu2 aria-hidden size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => onAsk({ deed: "change", user: of })}>{t("edit")}</Menu.Item>
        <Menu.Item color="red" onClick={() => onAsk({ deed: "delete", user: of })}>
          {t("remove")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Deed({ namespace, asked, onClose }: { namespace: string; asked: Asked; onClose: () => void }) {
  const t = useTenantWords();
  const queries = useQueryClient();
  const told = () => queries.invalidateQueries({ queryKey: ["tenants", namespace] });
  if (asked.deed === "delete") {
    const path = { namespace, user: asked.user.name };
    return (
      <Confirm
        opened
        title={t("delete_user_title", { name: asked.user.name })}
        action={t("remove")}
        danger
        onConfirm={() => del("/namespaces/{namespace}/users/{user}", { path }).then(told)}
        onClose={onClose}
      >
        {t("delete_user_text")}
      </Confirm>
    );
  }
  const user = asked.deed === "change" ? asked.user : undefined;
  const before = user ? draftOf(USER, user) : {};
  const save = async (draft: Draft) => {
    if (user) {
      const body = patchOf(USER, before, draft);
      if (Object.keys(body).length === 0) return false;
      await patch("/namespaces/{namespace}/users/{user}", { path: { namespace, user: user.name }, body });
    } else {
      await post("/namespaces/{namespace}/users", { path: { namespace }, body: bodyOf(NEW, draft) as never });
    }
    await told();
    return true;
  };
  return (
    <Form
      title={user ? t("edit_title", { name: user.name }) : t("new_user_title", { name: namespace })}
      action={t(user ? "save" : "create")}
      groups={user ? USER : NEW}
      before={before}
      onSave={save}
      onClose={onClose}
    />
  );
}
