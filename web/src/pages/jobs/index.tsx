import en from "~/i18n/en/jobs";
import { catalogue, useWords } from "~/i18n/words";
import zh from "~/i18n/zh/jobs";
import { Page } from "~/parts/Page";

const WORDS = catalogue(en, zh);

export default function Jobs() {
  const t = useWords(WORDS);
  return (
    <Page title={t("title")} lead={t("lead")}>
      {null}
    </Page>
  );
}
