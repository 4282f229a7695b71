import { Button, Group, Select } from "@mantine/core";
import { useState } from "react";
import { Confirm } from "~/parts/Confirm";
import { IconPlus, IconTrash } from "~/parts/icons";
import { useEditing } from "../draft/usePolicy";
import { dotted } from "../draft/paths";
import type { Strategy } from "../types";
import { usePolicyWords } from "../words";
import { NewStrategy } from "./NewStrategy";
import classes from "../policies.module.css";

interface Props {
  strategies: readonly Strategy[];
  chosen: Strategy | undefined;
  onChoose: (place: string) => void;
}

/** Which strategy is shown; a new one, and away with this one. */
export function StrategyBar({ strategies, chosen, onChoose }: Props) {
  const t = usePolicyWords();
  const { change, may, draft } = useEditing();
  const [asked, setAsked] = useState<"new" | "delete">();
  const off = !may || draft.broken;
  const nameOf = (one: Strategy) =>
    one.path.length === 1 ? t("strategy_single", { name: one.name || t("no_name") }) : one.name;
  const remove = () => {
    if (chosen) change({ path: chosen.path, remove: true });
    return Promise.resolve();
  };
  return (
    <Group gap="xs" align="flex-end" className={classes.bar}>
      <Select
        className={classes.chooser}
        label={t("strategy")}
        data={strategies.map((one) => ({ value: dotted(one.path), label: nameOf(one) }))}
        value={chosen ? dotted(chosen.path) : null}
        onChange={(next) => next && onChoose(next)}
        placeholder={t("strategies_none")}
        allowDeselect={false}
        searchable={strategies.length > 8}
        limit={100}
        disabled={!strategies.length}
      />
      <Button
        variant="default"
        leftSection={<IconPlus size={15} aria-hidden />}
        disabled={off}
        onClick={() => setAsked("new")}
      >
        {t("new_strategy")}
      </Button>
      <Button
        variant="default"
        leftSection={<IconTrash size={15} aria-hidden />}
        disabled={off || !chosen}
        onClick={() => setAsked("delete")}
      >
        {t("delete_strategy")}
      </Button>
      <NewStrategy opened={asked === "new"} onClose={() => setAsked(undefined)} onMade={onChoose} />
      <Confirm
        opened={asked === "delete"}
        title={t("delete_strategy_title", { name: chosen ? nameOf(chosen) : "" })}
        action={t("delete")}
        danger
        onConfirm={remove}
        onClose={() => setAsked(undefined)}
      >
        {t("delete_strategy_text")}
      </Confirm>
    </Group>
  );
}
