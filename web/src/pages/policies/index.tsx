import { Loader, Tabs } from "@mantine/core";
import { useEffect } from "react";
import { useLocation, useNavigate } from "react-router";
import { useSession } from "~/api/session";
import { useTold } from "~/i18n/told";
import { Page } from "~/parts/Page";
import { Problem } from "~/parts/Problem";
import { Theirs } from "./apply/Theirs";
import { Bar } from "./Bar";
import { Changes } from "./diff/Changes";
import { DryRunTab } from "./dryrun/DryRunTab";
import { EditingProvider, useEditing, usePolicy } from "./draft/usePolicy";
import { EditTab } from "./EditTab";
import { HistoryTab } from "./history/HistoryTab";
import { Leaving } from "./Leaving";
import { Notice } from "./Notice";
import { usePolicyWords } from "./words";

const TABS = ["edit", "changes", "dryrun", "history"] as const;
type Tab = (typeof TABS)[number];
const HOME = "/policies";
const addressOf = (tab: Tab) => (tab === "edit" ? HOME : `${HOME}/${tab}`);

export default function Policies() {
  const t = usePolicyWords();
  const { editing, error, retry } = usePolicy();
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Problem error={error} retry={retry} />
      {!editing && !error ? <Loader role="status" aria-busy aria-label={t("loading")} /> : null}
      {editing ? (
        <EditingProvider value={editing}>
          <Whole />
          <Leaving changed={editing.changed} />
        </EditingProvider>
      ) : null}
    </Page>
  );
}

function Whole() {
  const t = usePolicyWords();
  const go = useNavigate();
  const { pathname } = useLocation();
  const last = pathname.split("/").at(2) ?? "";
  const tab: Tab = TABS.find((one) => one === last) ?? "edit";
  useUndoKeys();
  return (
    <>
      <Notices />
      <Theirs />
      <Bar />
      <Tabs value={tab} onChange={(next) => void go(addressOf(next as Tab))}>
        <Tabs.List aria-label={t("tabs")} mb="md">
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`tab_${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="edit" keepMounted>
          <EditTab />
        </Tabs.Panel>
        <Tabs.Panel value="changes">{tab === "changes" ? <Changes /> : null}</Tabs.Panel>
        <Tabs.Panel value="dryrun">{tab === "dryrun" ? <DryRunTab /> : null}</Tabs.Panel>
        <Tabs.Panel value="history">
          {tab === "history" ? <HistoryTab onLoaded={() => void go(addressOf("edit"))} /> : null}
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

/** Why something cannot be done here. */
function Notices() {
  const t = usePolicyWords();
  const told = useTold();
  const { draft, may } = useEditing();
  const { role } = useSession();
  const { base } = draft;
  return (
    <>
      {may ? null : <Notice>{t("viewer", { role })}</Notice>}
      {base.writable ? null : (
        <Notice grade="warn" title={t("not_writable")}>
          {told(base.why_not ?? "")} {t("not_writable_text", { file: base.file })} {t("masks_note")}
        </Notice>
      )}
    </>
  );
}

/** Undo and redo by the keyboard, where no field has an undo of its own. */
function useUndoKeys() {
  const { act, may } = useEditing();
  useEffect(() => {
    if (!may) return;
    const onKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      const target = event.target as HTMLElement;
      if (target.closest("input:not([type=checkbox]), textarea, [contenteditable=true], [role=dialog]")) return;
      if (key !== "z" && key !== "y") return;
      event.preventDefault();
      act({ do: key === "y" || event.shiftKey ? "redo" : "undo" });
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [act, may]);
}
