import { ActionIcon, type MantineColorScheme, Menu, useMantineColorScheme } from "@mantine/core";
import { SHELL } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { IconCheck, IconMoon, IconSun, IconSunMoon } from "~/parts/icons";

const ICONS = { auto: IconSunMoon, light: IconSun, dark: IconMoon };
const CHOICES: readonly MantineColorScheme[] = ["auto", "light", "dark"];

export function ThemeSwitch() {
  const t = useWords(SHELL);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const Icon = ICONS[colorScheme];
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          c="var(--tg-text)"
          size="lg"
          aria-label={`${t("theme")}: ${t(`theme_${colorScheme}`)}`}
        >
          <Icon size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {CHOICES.map((one) => {
          const Shown = ICONS[one];
          return (
            <Menu.Item
              key={one}
              role="menuitemradio"
              aria-checked={one === colorScheme}
              leftSection={<Shown size={16} aria-hidden />}
              rightSection={one === colorScheme ? <IconCheck size={14} aria-hidden /> : undefined}
              onClick={() => setColorScheme(one)}
            >
              {t(`theme_${one}`)}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
