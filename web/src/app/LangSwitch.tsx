import { Button } from "@mantine/core";
import { useLang } from "~/i18n/lang";
import { IconLanguage } from "~/parts/icons";

/** Names the other language in that language: who cannot read this one must find it. */
export function LangSwitch() {
  const { lang, choose } = useLang();
  const other = lang === "en" ? ({ lang: "zh-CN", name: "中文" } as const) : ({ lang: "en", name: "English" } as const);
  return (
    <Button
      variant="subtle"
      color="gray"
      size="compact-sm"
      c="var(--tg-text)"
      lang={other.lang}
      leftSection={<IconLanguage size={18} aria-hidden />}
      onClick={() => choose(other.lang)}
    >
      {other.name}
    </Button>
  );
}
