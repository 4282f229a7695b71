import {
  Anchor,
  Button,
  Group,
  type MantineColorScheme,
  SegmentedControl,
  Stack,
  Text,
  Title,
  useMantineColorScheme,
} from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { askJson } from "~/api/client";
import { signedOut, useSession } from "~/api/session";
import { type Lang, useLang } from "~/i18n/lang";
import { Confirm } from "~/parts/Confirm";
import { Facts } from "~/parts/Facts";
import { IconExternalLink, IconLogout } from "~/parts/icons";
import { Moment } from "~/parts/Moment";
import classes from "./settings.module.css";
import { useSettingsWords } from "./words";

const LANGUAGES = [
  { value: "en", label: "English" },
  { value: "zh-CN", label: "中文" },
];
const THEMES: readonly MantineColorScheme[] = ["auto", "light", "dark"];

/** Who is signed in, what they may, and how it looks to them. */
export function Me() {
  return (
    <div className={classes.grid}>
      <SignedIn />
      <Stack>
        <Looks />
        <Elsewhere />
      </Stack>
    </div>
  );
}

function SignedIn() {
  const t = useSettingsWords();
  const session = useSession();
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="me">
      <Title order={2} id="me">
        {t("signed_in")}
      </Title>
      <Facts
        of={[
          [t("name"), session.name],
          [t("role"), session.role],
          [t("namespace"), session.namespace],
          [t("until"), session.expires ? <Moment key="until" at={session.expires} /> : undefined],
        ]}
      />
      <Text fw={600} size="sm" mt="md" mb={4}>
        {t("rights")}
      </Text>
      <ul className={classes.list}>
        {session.rights.map((right) => (
          <li key={right}>{t(`right_${right}`)}</li>
        ))}
      </ul>
      <SignOut name={session.name} />
    </section>
  );
}

function SignOut({ name }: { name: string }) {
  const t = useSettingsWords();
  const queries = useQueryClient();
  const [everywhere, setEverywhere] = useState(false);
  const leave = async (query: Record<string, boolean>) => {
    await askJson("delete", "/session", { query });
    signedOut();
    queries.clear();
  };
  return (
    <Group mt="md" gap="xs">
      <Button
        variant="default"
        leftSection={<IconLogout aria-hidden size={16} />}
        onClick={() => void leave({}).catch(() => signedOut())}
      >
        {t("sign_out")}
      </Button>
      <Button variant="subtle" onClick={() => setEverywhere(true)}>
        {t("sign_out_all")}
      </Button>
      <Confirm
        opened={everywhere}
        title={t("sign_out_all")}
        action={t("sign_out_all")}
        onConfirm={() => leave({ everywhere: true })}
        onClose={() => setEverywhere(false)}
      >
        {t("sign_out_all_text", { name })}
      </Confirm>
    </Group>
  );
}

function Looks() {
  const t = useSettingsWords();
  const { lang, choose } = useLang();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="looks">
      <Title order={2} id="looks">
        {t("looks")}
      </Title>
      <Facts
        of={[
          [
            t("language"),
            <SegmentedControl
              key="language"
              size="xs"
              aria-label={t("language")}
              data={LANGUAGES}
              value={lang}
              onChange={(value) => choose(value as Lang)}
            />,
          ],
          [
            t("theme"),
            <SegmentedControl
              key="theme"
              size="xs"
              aria-label={t("theme")}
              data={THEMES.map((value) => ({ value, label: t(`theme_${value}`) }))}
              value={colorScheme}
              onChange={(value) => setColorScheme(value)}
            />,
          ],
        ]}
      />
    </section>
  );
}

function Elsewhere() {
  const t = useSettingsWords();
  const { version } = useSession();
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="elsewhere">
      <Title order={2} id="elsewhere">
        {t("elsewhere")}
      </Title>
      <Stack gap={6}>
        {(["/docs", "/metrics"] as const).map((address) => (
          <Anchor key={address} href={address} target="_blank" rel="noopener" size="sm">
            {t(address === "/docs" ? "api" : "metrics")} <IconExternalLink aria-hidden size={14} />
          </Anchor>
        ))}
      </Stack>
      <Text size="sm" mt="sm" className="tg-soft">
        Tidegate {version}
      </Text>
    </section>
  );
}
