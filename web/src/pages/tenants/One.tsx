import { Anchor, Button, Group, Tabs } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { del } from "~/api/client";
import { useSession } from "~/api/session";
import { Confirm } from "~/parts/Confirm";
import { IconEdit, IconTrash } from "~/parts/icons";
import { Needs } from "~/parts/Needs";
import { Page } from "~/parts/Page";
import { Problem } from "~/parts/Problem";
import { type Namespace, useNamespace } from "./api";
import { Bounds } from "./Bounds";
import { InFile } from "./Declared";
import { Keys } from "./Keys";
import { ChangeNamespace } from "./NamespaceForm";
import { Spend } from "./Spend";
import { useTenantWords } from "./words";
import { Users } from "./Users";

const TABS = { bounds: Bounds, users: Users, keys: Keys, spend: Spend } as const;
type Tab = keyof typeof TABS;
const NAMES = Object.keys(TABS) as Tab[];

/** One namespace: what bounds it, who and what calls for it, and what it cost. */
export function One() {
  const t = useTenantWords();
  const navigate = useNavigate();
  const { role } = useSession();
  const { namespace = "", tab } = useParams();
  const chosen = NAMES.find((one) => one === tab) ?? "bounds";
  const { data, error, refetch } = useNamespace(namespace);
  const Shown = TABS[chosen];
  const base = `/tenants/${encodeURIComponent(namespace)}`;
  return (
    <Page
      title={namespace}
      lead={
        role === "owner" ? null : (
          <Anchor component={Link} to="/tenants" size="sm">
            {t("back")}
          </Anchor>
        )
      }
      actions={data?.declared === "managed" ? <Deeds of={data} /> : null}
    >
      <Problem error={error} retry={() => void refetch()} />
      {data?.declared === "file" ? <InFile /> : null}
      {data ? (
        <Tabs value={chosen} onChange={(next) => void navigate(next === "bounds" ? base : `${base}/${next ?? ""}`)}>
          <Tabs.List mb="md">
            {NAMES.map((one) => (
              <Tabs.Tab key={one} value={one}>
                {t(`tab_${one}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value={chosen}>
            <Shown of={data} />
          </Tabs.Panel>
        </Tabs>
      ) : null}
    </Page>
  );
}

function Deeds({ of }: { of: Namespace }) {
  const t = useTenantWords();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<"change" | "delete">();
  const remove = async () => {
    await del("/namespaces/{namespace}", { path: { namespace: of.name } });
    void navigate("/tenants");
    queries.removeQueries({ queryKey: ["tenants", of.name] });
    await queries.invalidateQueries({ queryKey: ["tenants", "list"] });
  };
  return (
    <Group gap="xs">
      <Needs right="change_namespaces">
        <Button variant="default" leftSection={<IconEdit aria-hidden size={16} />} onClick={() => setAsked("change")}>
          {t("edit")}
        </Button>
      </Needs>
      <Needs right="change_namespaces">
        <Button variant="default" leftSection={<IconTrash aria-hidden size={16} />} onClick={() => setAsked("delete")}>
          {t("remove")}
        </Button>
      </Needs>
      {asked === "change" ? <ChangeNamespace of={of} onClose={() => setAsked(undefined)} /> : null}
      <Confirm
        opened={asked === "delete"}
        title={t("delete_namespace_title", { name: of.name })}
        action={t("remove")}
        danger
        word={of.name}
        onConfirm={remove}
        onClose={() => setAsked(undefined)}
      >
        {t("delete_namespace_text")}
      </Confirm>
    </Group>
  );
}
