import { Tabs } from "@mantine/core";
import { Navigate, Route, Routes, useLocation, useNavigate } from "react-router";
import { Page } from "~/parts/Page";
import { Active } from "./Active";
import { Channels } from "./Channels";
import { History } from "./History";
import { Notices } from "./Notices";
import { Rules } from "./Rules";
import { Silences } from "./Silences";
import { Story } from "./Story";
import { useAlertWords } from "./words";

const TABS = ["active", "history", "notices", "rules", "channels", "silences"] as const;
type Tab = (typeof TABS)[number];
const SHOWN: Readonly<Record<Tab, () => React.ReactNode>> = {
  active: () => <Active />,
  history: () => <History />,
  notices: () => <Notices />,
  rules: () => <Rules />,
  channels: () => <Channels />,
  silences: () => <Silences />,
};

/** What is wrong, what was, who was told, and by which rule. */
export default function Alerts() {
  return (
    <Routes>
      <Route index element={<Whole />} />
      <Route path="active" element={<Navigate to="/alerts" replace />} />
      {TABS.slice(1).map((tab) => (
        <Route key={tab} path={tab} element={<Whole />} />
      ))}
      <Route path=":alert" element={<Story />} />
    </Routes>
  );
}

function Whole() {
  const t = useAlertWords();
  const go = useNavigate();
  const last = useLocation().pathname.split("/").at(-1) ?? "";
  const shown: Tab = TABS.find((one) => one === last) ?? "active";
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Tabs value={shown} onChange={(tab) => void go(tab === "active" ? "/alerts" : `/alerts/${tab}`)}>
        <Tabs.List aria-label={t("title")} mb="md">
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`tab_${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {TABS.map((one) => (
          <Tabs.Panel key={one} value={one}>
            {one === shown ? SHOWN[one]() : null}
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  );
}
