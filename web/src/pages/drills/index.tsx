import { Tabs } from "@mantine/core";
import { Navigate, Route, Routes, useLocation, useNavigate } from "react-router";
import { Page } from "~/parts/Page";
import { Findings } from "./Findings";
import { Proofs } from "./Proofs";
import { Runs } from "./Runs";
import { Shadows } from "./Shadows";
import { useDrillWords } from "./words";

const TABS = ["proofs", "check", "shadows"] as const;
type Tab = (typeof TABS)[number];

/** Which fallbacks are proved, what is known to be wrong with them, and what candidates answer beside them. */
export default function Drills() {
  return (
    <Routes>
      <Route index element={<Whole />} />
      <Route path="proofs" element={<Navigate to="/drills" replace />} />
      <Route path="check" element={<Whole />} />
      <Route path="shadows" element={<Whole />} />
      <Route path="runs/:drill" element={<Runs />} />
    </Routes>
  );
}

function Whole() {
  const t = useDrillWords();
  const go = useNavigate();
  const last = useLocation().pathname.split("/").at(-1) ?? "";
  const shown: Tab = TABS.find((one) => one === last) ?? "proofs";
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Tabs value={shown} onChange={(tab) => void go(tab === "proofs" ? "/drills" : `/drills/${tab}`)}>
        <Tabs.List aria-label={t("title")} mb="md">
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`tab_${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="proofs">{shown === "proofs" ? <Proofs /> : null}</Tabs.Panel>
        <Tabs.Panel value="check">{shown === "check" ? <Findings /> : null}</Tabs.Panel>
        <Tabs.Panel value="shadows">{shown === "shadows" ? <Shadows /> : null}</Tabs.Panel>
      </Tabs>
    </Page>
  );
}
