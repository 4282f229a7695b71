import { AppShell, Burger, Group } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useEffect } from "react";
import { Outlet, useLocation, useNavigation } from "react-router";
import { SHELL } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { AccountMenu } from "./AccountMenu";
import { Brand } from "./Brand";
import { LangSwitch } from "./LangSwitch";
import { Navigation } from "./Navigation";
import classes from "./Shell.module.css";
import { ThemeSwitch } from "./ThemeSwitch";

/** What is around every page. */
export function Shell() {
  const t = useWords(SHELL);
  const [opened, { toggle, close }] = useDisclosure(false);
  const { pathname } = useLocation();
  const busy = useNavigation().state !== "idle";
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the menu
  useEffect(() => {
    close();
    window.scrollTo(0, 0);
  }, [pathname, close]);
  return (
    <>
      <a className="tg-skip" href="#main">
        {t("skip")}
      </a>
      <AppShell
        header={{ height: 56 }}
        navbar={{ width: 216, breakpoint: "sm", collapsed: { mobile: !opened } }}
        padding="lg"
      >
        <AppShell.Header className={classes.header}>
          <Group h="100%" px="md" justify="space-between" wrap="nowrap">
            <Group gap="sm" wrap="nowrap">
              <Burger
                opened={opened}
                onClick={toggle}
                hiddenFrom="sm"
                size="sm"
                aria-label={t("menu")}
                aria-expanded={opened}
              />
              <Brand />
            </Group>
            <Group gap={4} wrap="nowrap">
              <LangSwitch />
              <ThemeSwitch />
              <AccountMenu />
            </Group>
          </Group>
        </AppShell.Header>
        <AppShell.Navbar className={classes.navbar} p="sm" aria-label={t("navigation")}>
          <Navigation />
        </AppShell.Navbar>
        <AppShell.Main id="main" tabIndex={-1} aria-busy={busy} className={classes.main}>
          <Outlet />
        </AppShell.Main>
      </AppShell>
    </>
  );
}
