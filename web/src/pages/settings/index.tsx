import { Tabs } from "@mantine/core";
import { useNavigate, useParams, Route, Routes } from "react-router";
import type { Right } from "~/api/contract";
import { useSession } from "~/api/session";
import { Page } from "~/parts/Page";
import { Audit } from "./audit/Audit";
import { Me } from "./Me";
import { Sessions } from "./Sessions";
import { Status } from "./Status";
import { Tokens } from "./tokens/Tokens";
import { useSettingsWords } from "./words";

const TABS = {
  me: { right: "self", show: Me },
  status: { right: "status", show: Status },
  tokens: { right: "tokens", show: Tokens },
  sessions: { right: "tokens", show: Sessions },
  audit: { right: "audit", show: Audit },
} as const satisfies Record<string, { right: Right; show: () => React.ReactNode }>;
type Tab = keyof typeof TABS;
const NAMES = Object.keys(TABS) as Tab[];

export default function Settings() {
  return (
    <Routes>
      <Route index element={<Tabbed />} />
      <Route path=":tab" element={<Tabbed />} />
    </Routes>
  );
}

/** What the role may see of them; the address names which. */
function Tabbed() {
  const t = useSettingsWords();
  const go = useNavigate();
  const asked = useParams().tab;
  const { rights } = useSession();
  const names = NAMES.filter((name) => rights.includes(TABS[name].right));
  const tab = names.find((name) => name === asked) ?? "me";
  const { show: Shown } = TABS[tab];
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Tabs value={tab} onChange={(next) => void go(next === "me" ? "/settings" : `/settings/${next ?? ""}`)}>
        <Tabs.List aria-label={t("tabs")} mb="md">
          {names.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t(`tab_${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {names.map((name) => (
          <Tabs.Panel key={name} value={name}>
            {name === tab ? <Shown /> : null}
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  );
}
