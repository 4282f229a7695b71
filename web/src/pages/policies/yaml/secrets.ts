/** Masks of secrets, shown as chips: they are moved and removed as a whole, and never taken apart. */
import {
  Decoration,
  type DecorationSet,
  EditorView,
  MatchDecorator,
  ViewPlugin,
  type ViewUpdate,
  WidgetType,
} from "@codemirror/view";
import { MASK } from "./masks";

class Chip extends WidgetType {
  readonly word: string;
  readonly title: string;

  constructor(word: string, title: string) {
    super();
    this.word = word;
    this.title = title;
  }

  override eq(other: Chip) {
    return other.word === this.word;
  }

  override toDOM() {
    const chip = document.createElement("span");
    chip.className = "cm-secret";
    chip.textContent = `••• ${this.word}`;
    chip.title = this.title;
    return chip;
  }
}

export function secretChips(word: string, title: string) {
  const matcher = new MatchDecorator({
    regexp: MASK,
    decoration: Decoration.replace({ widget: new Chip(word, title) }),
  });
  return ViewPlugin.fromClass(
    class {
      chips: DecorationSet;

      constructor(view: EditorView) {
        this.chips = matcher.createDeco(view);
      }

      update(update: ViewUpdate) {
        this.chips = matcher.updateDeco(update, this.chips);
      }
    },
    {
      decorations: (plugin) => plugin.chips,
      provide: (plugin) => EditorView.atomicRanges.of((view) => view.plugin(plugin)?.chips ?? Decoration.none),
    },
  );
}
