/** Findings of the gate as marks in the text. It counts characters of Unicode, the editor units of UTF-16. */
import type { Diagnostic } from "@codemirror/lint";
import type { Text } from "@codemirror/state";
import type { Tell } from "~/i18n/told";
import type { Finding } from "../types";

export function placeOf(doc: Text, { line, column }: { line: number; column: number }): number {
  const found = doc.line(Math.max(1, Math.min(line, doc.lines)));
  const before = Array.from(found.text.slice(0, 2 * column))
    .slice(0, Math.max(0, column - 1))
    .join("").length;
  return found.from + Math.min(before, found.length);
}

/** From the finding's place to the end of the word, or of what stands on the line. */
function spanOf(doc: Text, finding: Finding): { from: number; to: number } {
  const from = placeOf(doc, finding);
  const line = doc.lineAt(from);
  const word = /^[^\s:,[\]{}]+:?/.exec(line.text.slice(from - line.from))?.[0].length ?? 0;
  if (word) return { from, to: from + word };
  const indent = /^\s*/.exec(line.text)?.[0].length ?? 0;
  return { from: Math.min(line.from + indent, line.to), to: line.to };
}

export function diagnosticsOf(
  doc: Text,
  errors: readonly Finding[],
  warnings: readonly Finding[],
  told: Tell,
): Diagnostic[] {
  const marked = (severity: "error" | "warning") => (one: Finding) => ({
    ...spanOf(doc, one),
    severity,
    message: (one.field && `${one.field}: `) + told([one.message, one.remedy].filter(Boolean).join("; ")),
  });
  const ours = (one: Finding) => !one.file;
  return [...errors.filter(ours).map(marked("error")), ...warnings.filter(ours).map(marked("warning"))].sort(
    (a, b) => a.from - b.from,
  );
}
