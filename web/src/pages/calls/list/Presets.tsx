import { Button, Group } from "@mantine/core";
import { useSearchParams } from "react-router";
import { useCallWords } from "../words";
import { type Preset, presetOf, PRESETS, withPreset } from "./wanted";

/** The usual questions, one press each. */
export function Presets() {
  const t = useCallWords();
  const [params, setParams] = useSearchParams();
  const now = presetOf(params);
  return (
    <Group gap={6} role="group" aria-label={t("presets")}>
      {(Object.keys(PRESETS) as Preset[]).map((one) => (
        <Button
          key={one}
          size="compact-sm"
          radius="xl"
          variant={one === now ? "filled" : "default"}
          aria-pressed={one === now}
          onClick={() => setParams(withPreset(params, one), { replace: true })}
        >
          {t(`preset_${one}`)}
        </Button>
      ))}
    </Group>
  );
}
