import { Avatar, Menu, UnstyledButton } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { askJson } from "~/api/client";
import { signedOut, useSession } from "~/api/session";
import { SHELL } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { IconLogout } from "~/parts/icons";

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
        <UnstyledButton aria-label={name} p={4}>
          <Avatar size={30} radius="xl" color="tide" variant="filled" name={session.name} aria-hidden />
        </UnstyledButton>
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
