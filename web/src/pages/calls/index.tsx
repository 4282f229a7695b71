import { Button, Collapse, Group, SegmentedControl } from "@mantine/core";
import { useState } from "react";
import { Route, Routes, useSearchParams } from "react-router";
import { IconFilter } from "~/parts/icons";
import { Page } from "~/parts/Page";
import classes from "./calls.module.css";
import { Detail } from "./chain/Detail";
import { Found } from "./list/Found";
import { Further } from "./list/Further";
import { Live } from "./list/Live";
import { OpenCall } from "./list/OpenCall";
import { Period } from "./list/Period";
import { Presets } from "./list/Presets";
import { furtherSet } from "./list/wanted";
import { useCallWords } from "./words";

export default function Calls() {
  return (
    <Routes>
      <Route index element={<All />} />
      <Route path=":call" element={<Detail />} />
    </Routes>
  );
}

function All() {
  const t = useCallWords();
  const [params, setParams] = useSearchParams();
  const further = furtherSet(params);
  const [opened, setOpened] = useState(further > 0);
  const mode = params.get("mode") === "search" ? "search" : "live";
  const choose = (next: string) =>
    setParams((now) => {
      const address = new URLSearchParams(now);
      if (next === "search") address.set("mode", next);
      else for (const name of ["mode", "period", "since", "until"]) address.delete(name);
      return address;
    });
  return (
    <Page title={t("title")} lead={t("lead")} actions={<OpenCall />}>
      <div className={classes.bar}>
        <SegmentedControl
          aria-label={t("mode")}
          size="xs"
          value={mode}
          onChange={choose}
          data={[
            { value: "live", label: t("live") },
            { value: "search", label: t("search") },
          ]}
        />
        <Presets />
        <Button
          size="compact-sm"
          variant="subtle"
          aria-expanded={opened}
          aria-controls="further"
          leftSection={<IconFilter aria-hidden size={15} />}
          onClick={() => setOpened(!opened)}
        >
          {further ? t("further_set", { n: further }) : t("further")}
        </Button>
        {mode === "search" ? (
          <Group ml="auto">
            <Period />
          </Group>
        ) : null}
      </div>
      <Collapse expanded={opened} id="further">
        <Further />
      </Collapse>
      {mode === "search" ? <Found /> : <Live />}
    </Page>
  );
}
