import { setDiagnostics } from "@codemirror/lint";
import { Annotation, Compartment, EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { useLang } from "~/i18n/lang";
import { type Tell, useTold } from "~/i18n/told";
import { spliceOf } from "../draft/splice";
import type { Finding } from "../types";
import { usePolicyWords } from "../words";
import { diagnosticsOf, placeOf } from "./diagnostics";
import { fresh, freshMark } from "./fresh";
import { setup } from "./setup";

export interface EditorProps {
  text: string;
  onType: (text: string) => void;
  onUndo: () => void;
  onRedo: () => void;
  errors: readonly Finding[];
  warnings: readonly Finding[];
  readOnly: boolean;
  /** A line to show; another object shows it again. */
  goTo: { line: number; column: number } | undefined;
}

const outside = Annotation.define<true>();

/** The YAML itself. What comes from elsewhere is spliced in, so that cursor, folds and scrolling stay. */
export default function Editor(props: EditorProps) {
  const t = usePolicyWords();
  const { lang } = useLang();
  const told = useTold();
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const known = useRef(props.text);
  const latest = useRef(props);
  latest.current = props;
  const locked = useRef(new Compartment());

  useEffect(() => {
    const parent = place.current;
    if (!parent) return;
    known.current = latest.current.text;
    const made = new EditorView({
      parent,
      state: EditorState.create({
        doc: known.current,
        extensions: [
          locked.current.of(lockedBy(latest.current.readOnly)),
          setup({
            lang,
            label: t("yaml_label"),
            secret: t("secret"),
            secretTitle: t("secret_title"),
            undo: () => latest.current.onUndo(),
            redo: () => latest.current.onRedo(),
          }),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged || update.transactions.some((one) => one.annotation(outside))) return;
            known.current = update.state.doc.toString();
            latest.current.onType(known.current);
          }),
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
  }, [lang, t]);

  useEffect(() => {
    const now = view.current;
    if (!now || props.text === known.current) return;
    const { at, removed, inserted } = spliceOf(known.current, props.text);
    known.current = props.text;
    now.dispatch({
      changes: { from: at, to: at + removed.length, insert: inserted },
      annotations: outside.of(true),
      effects: [freshMark.of({ from: at, to: at + inserted.length }), EditorView.scrollIntoView(at, { yMargin: 60 })],
    });
  }, [props.text]);

  useEffect(() => {
    if (view.current) show(view.current, props.errors, props.warnings, told);
  }, [props.errors, props.warnings, told, lang]);

  useEffect(() => {
    view.current?.dispatch({ effects: locked.current.reconfigure(lockedBy(props.readOnly)) });
  }, [props.readOnly]);

  useEffect(() => {
    const now = view.current;
    if (!now || !props.goTo) return;
    const at = placeOf(now.state.doc, props.goTo);
    now.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    now.focus();
  }, [props.goTo]);

  return <div ref={place} className="tg-yaml" />;
}

const lockedBy = (readOnly: boolean) => [EditorState.readOnly.of(readOnly), fresh];

function show(view: EditorView, errors: readonly Finding[], warnings: readonly Finding[], told: Tell) {
  view.dispatch(setDiagnostics(view.state, diagnosticsOf(view.state.doc, errors, warnings, told)));
}
