import { useSortable } from "@dnd-kit/sortable";
import { CSS } from "@dnd-kit/utilities";
import { ActionIcon, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconGripVertical, IconTrash } from "~/parts/icons";
import { dotted } from "../draft/paths";
import { useEditing } from "../draft/usePolicy";
import type { Finding, Strategy } from "../types";
import { usePolicyWords } from "../words";
import { Findings } from "./FieldFrame";
import classes from "./form.module.css";
import type { Target } from "./order";
import { Suggest } from "./Suggest";

interface Props {
  target: Target;
  place: number;
  many: number;
  strategy: Strategy;
  models: readonly string[];
  off: boolean;
  onMove: (to: number) => void;
  onRename: (model: string) => void;
  onRemove: () => void;
}

/** One model, which can be dragged by hand or by the keyboard, moved by buttons, renamed and removed. */
export function TargetRow({ target, place, many, strategy, models, off, onMove, onRename, onRemove }: Props) {
  const t = usePolicyWords();
  const { draft } = useEditing();
  const drag = useSortable({ id: target.id, disabled: off });
  const model = target.model || t("no_name");
  const root = dotted(
    target.index === undefined
      ? [...strategy.path, "primary_model"]
      : [...strategy.path, "fallback_models", target.index],
  );
  const about = (all: Finding[]) => all.filter((one) => one.field === root || one.field.startsWith(`${root}.`));
  const [errors, warnings] = [about(draft.errors), about(draft.warnings)];
  const primary = place === 0;
  return (
    <li
      ref={drag.setNodeRef}
      className={classes.target}
      data-primary={primary || undefined}
      data-dragging={drag.isDragging || undefined}
      style={{ transform: CSS.Translate.toString(drag.transform), transition: drag.transition }}
    >
      <UnstyledButton
        ref={drag.setActivatorNodeRef}
        {...drag.attributes}
        {...drag.listeners}
        className={classes.grip}
        aria-label={t("drag", { model })}
        disabled={off}
      >
        <IconGripVertical size={16} aria-hidden />
      </UnstyledButton>
      <span className={classes.rank}>{primary ? t("primary") : t("fallback", { n: place })}</span>
      <Suggest
        label={primary ? t("model_primary") : t("model_fallback", { n: place })}
        value={target.model}
        suggestions={models}
        onWrite={(next) => next && onRename(next)}
        disabled={off}
        wrong={errors.length > 0}
        className={classes.wide}
      />
      <ActionIcon.Group>
        <ActionIcon
          variant="default"
          aria-label={t("move_up", { model })}
          disabled={off || primary}
          onClick={() => onMove(place - 1)}
        >
          <IconArrowUp size={15} aria-hidden />
        </ActionIcon>
        <ActionIcon
          variant="default"
          aria-label={t("move_down", { model })}
          disabled={off || place === many - 1}
          onClick={() => onMove(place + 1)}
        >
          <IconArrowDown size={15} aria-hidden />
        </ActionIcon>
        <ActionIcon
          variant="default"
          aria-label={t("remove_model", { model })}
          disabled={off || primary}
          onClick={onRemove}
        >
          <IconTrash size={15} aria-hidden />
        </ActionIcon>
      </ActionIcon.Group>
      {errors.length + warnings.length > 0 ? (
        <div className={classes.below}>
          <Findings errors={errors} warnings={warnings} />
        </div>
      ) : null}
    </li>
  );
}
