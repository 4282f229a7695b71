/** CodeMirror for YAML, in the colours of the control room. Undo is the page's own: it spans controls and text. */
import { defaultKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import {
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { styleNonce } from "~/app/nonce";
import type { Lang } from "~/i18n/lang";
import { phrases } from "./phrases";
import { secretChips } from "./secrets";

interface Options {
  lang: Lang;
  label: string;
  secret: string;
  secretTitle: string;
  undo: () => void;
  redo: () => void;
}

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--tg-yaml-name)" },
  { tag: [tags.string, tags.content, tags.special(tags.string)], color: "var(--tg-text)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--tg-yaml-value)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--tg-soft)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--tg-soft)" },
  { tag: [tags.labelName, tags.typeName, tags.meta], color: "var(--tg-warn)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", color: "var(--tg-text)", backgroundColor: "var(--tg-panel)" },
  "&.cm-focused": { outline: "2px solid var(--tg-curve)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mantine-font-family-monospace)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--tg-text)" },
  ".cm-cursor": { borderLeftColor: "var(--tg-text)" },
  ".cm-gutters": { backgroundColor: "var(--tg-panel)", color: "var(--tg-soft)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--tg-yaml-active)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--tg-yaml-selected)",
  },
  ".cm-panels": { backgroundColor: "var(--tg-ground)", color: "var(--tg-text)", borderColor: "var(--tg-line)" },
  ".cm-tooltip": { backgroundColor: "var(--tg-panel)", color: "var(--tg-text)", border: "1px solid var(--tg-line)" },
  ".cm-secret": {
    padding: "0 0.5em",
    borderRadius: "999px",
    backgroundColor: "var(--tg-warn-ground)",
    color: "var(--tg-warn)",
    fontSize: "0.85em",
  },
  ".cm-fresh": { backgroundColor: "var(--tg-curve-fill)" },
});

export function setup({ lang, label, secret, secretTitle, undo, redo }: Options): Extension {
  const act = (what: () => void) => () => {
    what();
    return true;
  };
  return [
    EditorView.cspNonce.of(styleNonce()),
    EditorState.phrases.of(phrases(lang)),
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
    EditorState.tabSize.of(2),
    indentUnit.of("  "),
    yaml(),
    syntaxHighlighting(colours),
    look,
    lineNumbers(),
    lintGutter(),
    foldGutter(),
    highlightSpecialChars(),
    drawSelection(),
    indentOnInput(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    search({ top: true }),
    secretChips(secret, secretTitle),
    keymap.of([
      { key: "Mod-z", run: act(undo), preventDefault: true },
      { key: "Mod-y", mac: "Mod-Shift-z", run: act(redo), preventDefault: true },
      { linux: "Ctrl-Shift-z", run: act(redo), preventDefault: true },
      ...defaultKeymap,
      ...searchKeymap,
      ...foldKeymap,
      ...lintKeymap,
    ]),
  ];
}
