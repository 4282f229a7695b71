import { Text, Title } from "@mantine/core";
import { Route, Routes } from "react-router";
import { Page } from "~/parts/Page";
import { Problem } from "~/parts/Problem";
import { Detail } from "./Detail";
import { Filters } from "./Filters";
import classes from "./jobs.module.css";
import { List } from "./List";
import { Summary, useSummary } from "./Summary";
import { useJobWords } from "./words";

export default function Jobs() {
  return (
    <Routes>
      <Route index element={<All />} />
      <Route path=":job" element={<Detail />} />
    </Routes>
  );
}

function All() {
  const t = useJobWords();
  const { data, error, refetch } = useSummary();
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Problem error={error} retry={() => void refetch()} />
      {data?.enabled === false ? <NoJobs /> : null}
      {data?.enabled ? (
        <>
          <Summary />
          <Filters />
          <List />
        </>
      ) : null}
    </Page>
  );
}

function NoJobs() {
  const t = useJobWords();
  return (
    <section className={`tg-panel ${classes.panel}`}>
      <Title order={2}>{t("none_here")}</Title>
      <Text size="sm">{t("none_remedy")}</Text>
    </section>
  );
}
