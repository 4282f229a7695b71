/** What a screen reader says while a model is dragged by the keyboard, in the reader's language. */
import type { Announcements, UniqueIdentifier } from "@dnd-kit/core";
import { useMemo } from "react";
import { usePolicyWords } from "../words";
import type { Target } from "./order";

export function useAnnouncements(targets: readonly Target[]) {
  const t = usePolicyWords();
  return useMemo(() => {
    const at = (id: UniqueIdentifier) => targets.findIndex((one) => one.id === id);
    const nameOf = (id: UniqueIdentifier) => targets[at(id)]?.model || t("no_name");
    const said = (key: "dnd_pick" | "dnd_over" | "dnd_drop", id: UniqueIdentifier, place: UniqueIdentifier) =>
      t(key, { model: nameOf(id), place: at(place) + 1, of: targets.length });
    const announcements: Announcements = {
      onDragStart: ({ active }) => said("dnd_pick", active.id, active.id),
      onDragOver: ({ active, over }) => (over ? said("dnd_over", active.id, over.id) : undefined),
      onDragEnd: ({ active, over }) => said("dnd_drop", active.id, over?.id ?? active.id),
      onDragCancel: ({ active }) => t("dnd_cancel", { model: nameOf(active.id) }),
    };
    return { announcements, screenReaderInstructions: { draggable: t("drag", { model: "" }) } };
  }, [targets, t]);
}
