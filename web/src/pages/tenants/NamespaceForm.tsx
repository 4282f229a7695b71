import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { patch, post } from "~/api/client";
import type { Namespace } from "./api";
import { byModelOf, byModelPatch, type Row, rowsOf } from "./byModel";
import { ByModelRows } from "./ByModelRows";
import { bodyOf, type Draft, draftOf, NAMESPACE, named, patchOf } from "./fields";
import { Form } from "./Form";
import { useTenantWords } from "./words";

const NEW = named(NAMESPACE);

interface NewProps {
  tiers: readonly string[];
  onMade: (name: string) => void;
  onClose: () => void;
}

export function NewNamespace({ tiers, onMade, onClose }: NewProps) {
  const t = useTenantWords();
  const queries = useQueryClient();
  const [rows, setRows] = useState<Row[]>([]);
  const save = async (draft: Draft) => {
    const body = { ...bodyOf(NEW, draft), ...(rows.length ? { by_model: byModelOf(rows) } : {}) };
    const made = await post("/namespaces", { body: body as never });
    await queries.invalidateQueries({ queryKey: ["tenants", "list"] });
    onMade(made.name);
    return true;
  };
  return (
    <Form
      title={t("new_namespace")}
      action={t("create")}
      groups={NEW}
      before={{}}
      offers={{ tiers }}
      onSave={save}
      onClose={onClose}
    >
      {(error) => <ByModelRows rows={rows} error={error} onChange={setRows} />}
    </Form>
  );
}

export function ChangeNamespace({ of, onClose }: { of: Namespace; onClose: () => void }) {
  const t = useTenantWords();
  const queries = useQueryClient();
  const [before] = useState(() => draftOf(NAMESPACE, of));
  const [former] = useState(() => rowsOf(of.by_model));
  const [rows, setRows] = useState(former);
  const save = async (draft: Draft) => {
    const byModel = byModelPatch(former, rows);
    const body = { ...patchOf(NAMESPACE, before, draft), ...(byModel ? { by_model: byModel } : {}) };
    if (Object.keys(body).length === 0) return false;
    await patch("/namespaces/{namespace}", { path: { namespace: of.name }, body });
    await queries.invalidateQueries({ queryKey: ["tenants"] });
    return true;
  };
  return (
    <Form
      title={t("edit_title", { name: of.name })}
      action={t("save")}
      groups={NAMESPACE}
      before={before}
      onSave={save}
      onClose={onClose}
    >
      {(error) => <ByModelRows rows={rows} error={error} onChange={setRows} />}
    </Form>
  );
}
