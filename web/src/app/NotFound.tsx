import { Anchor } from "@mantine/core";
import { Link } from "react-router";
import { SHELL } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { Page } from "~/parts/Page";

export function NotFound() {
  const t = useWords(SHELL);
  return (
    <Page title={t("not_found")} lead={t("not_found_text")}>
      <Anchor component={Link} to="/">
        {t("to_overview")}
      </Anchor>
    </Page>
  );
}
