import { closestCenter, DndContext, KeyboardSensor, PointerSensor, useSensor, useSensors } from "@dnd-kit/core";
import { SortableContext, sortableKeyboardCoordinates, verticalListSortingStrategy } from "@dnd-kit/sortable";
import { Button, Text } from "@mantine/core";
import { useState } from "react";
import { IconPlus } from "~/parts/icons";
import { useEditing } from "../draft/usePolicy";
import type { Strategy } from "../types";
import { usePolicyWords } from "../words";
import { useAnnouncements } from "./announcements";
import classes from "./form.module.css";
import { appended, moved, removed, renamed, type Target, targetsOf } from "./order";
import { Section } from "./Section";
import { Suggest } from "./Suggest";
import { TargetRow } from "./TargetRow";

/** The primary model and its fallbacks, in the order in which they are tried. */
export function Models({ strategy }: { strategy: Strategy }) {
  const t = usePolicyWords();
  const { change, form, may, draft } = useEditing();
  const off = !may || draft.broken;
  const targets = targetsOf(strategy);
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const accessibility = useAnnouncements(targets);
  const move = (from: number, to: number) => change(...moved(strategy, from, to));
  const placeOf = (id: unknown) => targets.findIndex((one) => one.id === id);
  const models = form?.models ?? [];
  return (
    <Section name="models" strategy={strategy}>
      <DndContext
        sensors={sensors}
        collisionDetection={closestCenter}
        accessibility={accessibility}
        onDragEnd={({ active, over }) => over && active.id !== over.id && move(placeOf(active.id), placeOf(over.id))}
      >
        <SortableContext items={targets.map((one) => one.id)} strategy={verticalListSortingStrategy} disabled={off}>
          <ol className={classes.targets}>
            {targets.map((target, place) => (
              <TargetRow
                key={target.id}
                target={target}
                place={place}
                many={targets.length}
                strategy={strategy}
                models={models}
                off={off}
                onMove={(to) => move(place, to)}
                onRename={(model) => change(renamed(strategy, target, model))}
                onRemove={() => target.index !== undefined && change(removed(strategy, target.index))}
              />
            ))}
          </ol>
        </SortableContext>
      </DndContext>
      {targets.length === 1 ? (
        <Text size="sm" className="tg-soft">
          {t("no_fallbacks")}
        </Text>
      ) : null}
      <Adding targets={targets} models={models} off={off} onAdd={(model) => change(appended(strategy, model))} />
    </Section>
  );
}

interface AddingProps {
  targets: readonly Target[];
  models: readonly string[];
  off: boolean;
  onAdd: (model: string) => void;
}

function Adding({ targets, models, off, onAdd }: AddingProps) {
  const t = usePolicyWords();
  const [model, setModel] = useState("");
  const taken = new Set(targets.map((one) => one.model));
  const add = () => {
    if (!model) return;
    onAdd(model);
    setModel("");
  };
  return (
    <form
      className={classes.adding}
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <Suggest
        label={t("add_fallback")}
        placeholder={t("add_fallback")}
        value={model}
        suggestions={models.filter((one) => !taken.has(one))}
        onWrite={setModel}
        disabled={off}
        className={classes.wide}
      />
      <Button type="submit" variant="light" size="xs" leftSection={<IconPlus size={14} aria-hidden />} disabled={off}>
        {t("add")}
      </Button>
    </form>
  );
}
