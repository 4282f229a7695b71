/** Bounds of single models, as rows of a form. Pure. */
import { bodyOf, type Draft, draftOf, type Group } from "./fields";

export const ROW: readonly Group[] = [
  {
    fields: [
      { path: "limits.rpm", kind: "number", label: "f_rpm" },
      { path: "limits.tpm", kind: "number", label: "f_tpm" },
      { path: "limits.concurrent", kind: "number", label: "f_concurrent" },
      { path: "limits.tokens_per_day", kind: "number", label: "f_tokens_per_day" },
      { path: "budget.per_day", kind: "text", label: "f_per_day" },
      { path: "budget.per_month", kind: "text", label: "f_per_month" },
    ],
  },
];

export interface Row {
  model: string;
  draft: Draft;
}

export function rowsOf(byModel: Readonly<Record<string, unknown>>): Row[] {
  return Object.entries(byModel).map(([model, record]) => ({ model, draft: draftOf(ROW, record) }));
}

const said = (rows: readonly Row[]) =>
  new Map(rows.filter((row) => row.model.trim()).map((row) => [row.model.trim(), bodyOf(ROW, row.draft)]));

export const byModelOf = (rows: readonly Row[]): Record<string, unknown> => Object.fromEntries(said(rows));

/** Each model that changed: null for one that went; what the form does not show of one (`on_state_loss`) stays. */
export function byModelPatch(before: readonly Row[], after: readonly Row[]): Record<string, unknown> | undefined {
  const [was, is] = [said(before), said(after)];
  const patch: [string, unknown][] = [...was.keys()].filter((model) => !is.has(model)).map((model) => [model, null]);
  for (const [model, body] of is) {
    const former = was.get(model);
    if (JSON.stringify(former) === JSON.stringify(body)) continue;
    patch.push([model, former ? emptied(former, body) : body]);
  }
  return patch.length ? Object.fromEntries(patch) : undefined;
}

type Part = Record<string, unknown>;

/** What was said and is not any more becomes null. */
function emptied(former: Part, body: Part): Part {
  const found: Part = {};
  for (const part of ["limits", "budget"]) {
    const [was, is] = [(former[part] ?? {}) as Part, (body[part] ?? {}) as Part];
    const gone = Object.keys(was).filter((name) => !(name in is));
    found[part] = { ...Object.fromEntries(gone.map((name) => [name, null])), ...is };
  }
  return found;
}
