import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { patch, post } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { type Key, type Namespace, useUsers } from "./api";
import { bodyOf, type Draft, draftOf, KEY, named, patchOf } from "./fields";
import { Form } from "./Form";
import { Rotate } from "./Rotate";
import { Secret } from "./Secret";
import { useTenantWords } from "./words";

const NEW = named(KEY, "f_key_name_hint");

export type Asked = { deed: "new" } | { deed: "change" | "rotate" | "revoke"; key: Key };

interface Props {
  of: Namespace;
  asked: Asked;
  onClose: () => void;
}

/** What is done to a key; what is made is shown, and kept nowhere but in this window. */
export function KeyDeed({ of, asked, onClose }: Props) {
  const queries = useQueryClient();
  const [made, setMade] = useState<{ name: string; key: string }>();
  const told = () => queries.invalidateQueries({ queryKey: ["tenants", of.name] });
  const close = () => {
    void told();
    onClose();
  };
  if (made) return <Secret name={made.name} value={made.key} onClose={close} />;
  if (asked.deed === "revoke") return <Revoke of={of} asked={asked.key} onClose={onClose} onDone={told} />;
  if (asked.deed === "rotate") return <Rotate of={asked.key} onMade={setMade} onClose={onClose} />;
  return <KeyForm of={of} asked={asked} onMade={setMade} onClose={onClose} onDone={told} />;
}

interface DoneProps {
  of: Namespace;
  onClose: () => void;
  onDone: () => Promise<unknown>;
}

function Revoke({ of, asked, onClose, onDone }: DoneProps & { asked: Key }) {
  const t = useTenantWords();
  const path = { namespace: of.name, key: asked.name };
  return (
    <Confirm
      opened
      title={t("revoke_title", { name: asked.name })}
      action={t("revoke")}
      danger
      word={asked.name}
      onConfirm={() => post("/namespaces/{namespace}/keys/{key}/revoke", { path }).then(onDone)}
      onClose={onClose}
    >
      {t("revoke_text")} {t(of.on_revoked === "cut" ? "revoke_cut" : "revoke_finish")}
    </Confirm>
  );
}

interface FormProps extends DoneProps {
  asked: Asked;
  onMade: (made: { name: string; key: string }) => void;
}

function KeyForm({ of, asked, onMade, onClose, onDone }: FormProps) {
  const t = useTenantWords();
  const { data: users } = useUsers(of.name);
  const key = asked.deed === "new" ? undefined : asked.key;
  const [before] = useState<Draft>(() => (key ? draftOf(KEY, key) : {}));
  const namespace = of.name;
  const save = async (draft: Draft) => {
    if (key) {
      const body = patchOf(KEY, before, draft);
      if (Object.keys(body).length === 0) return false;
      await patch("/namespaces/{namespace}/keys/{key}", { path: { namespace, key: key.name }, body });
      await onDone();
      return true;
    }
    const made = await post("/namespaces/{namespace}/keys", { path: { namespace }, body: bodyOf(NEW, draft) as never });
    onMade({ name: made.name, key: made.key });
    return "shown";
  };
  return (
    <Form
      title={key ? t("edit_title", { name: key.name }) : t("new_key_title", { name: namespace })}
      action={t(key ? "save" : "create")}
      groups={key ? KEY : NEW}
      before={before}
      offers={{ users: (users ?? []).map((one) => one.name), namespace }}
      onSave={save}
      onClose={onClose}
    />
  );
}
