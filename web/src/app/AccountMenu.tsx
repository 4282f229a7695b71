import { ActionIcon, Menu } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { askJson } from "~/api/client";
import { signedOut, useSession } from "~/api/session";
import { SHELL } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { IconLogout, IconUser } from "~/parts/icons";

export function AccountMenu() {
  const t = useWords(SHELL);
  const session = useSession();
  const queries = useQueryClient();
  const name = t("account", { name: session.name, role: session.role });
  const leave = async () => {
    await askJson("delete", "/session").catch(() => undefined);
    signedOut();
    queries.clear();
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" radius="xl" size="lg" aria-label={name}>
          <IconUser size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{name}</Menu.Label>
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void leave()}>
          {t("sign_out")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
