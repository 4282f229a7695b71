import { useQuery } from "@tanstack/react-query";
import { Text, Title } from "@mantine/core";
import { Route, Routes } from "react-router";
import { get } from "~/api/client";
import { ApiProblem } from "~/api/problem";
import { Page } from "~/parts/Page";
import { Detail } from "./Detail";
import { Filters } from "./Filters";
import classes from "./jobs.module.css";
import { List } from "./List";
import { Summary } from "./Summary";
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
  const { error, isPending } = useQuery({
    queryKey: ["jobs", "there"],
    retry: false,
    queryFn: ({ signal }) => get("/jobs", { query: { limit: 1 }, signal }),
  });
  const none = error instanceof ApiProblem && error.status === 409;
  return (
    <Page title={t("title")} lead={t("lead")}>
      {none ? <NoJobs /> : null}
      {none || isPending ? null : (
        <>
          <Summary />
          <Filters />
          <List />
        </>
      )}
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
