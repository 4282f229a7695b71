/** Lines that a control has just changed are marked for a moment: the eye finds what the hand did. */
import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView } from "@codemirror/view";

export const freshMark = StateEffect.define<{ from: number; to: number }>();
const MOST = 200; // lines

const line = Decoration.line({ class: "cm-fresh" });

export const fresh = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(freshMark)) continue;
      const { doc } = transaction.state;
      const first = doc.lineAt(Math.min(effect.value.from, doc.length)).number;
      const last = Math.min(doc.lineAt(Math.min(effect.value.to, doc.length)).number, first + MOST);
      const places = Array.from({ length: last - first + 1 }, (_, at) => line.range(doc.line(first + at).from));
      return Decoration.set(places);
    }
    return transaction.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});
