/** What somebody is making of the policy, as a value: text, what controls have changed since, undo, what the gate says. */
import type { Change, Finding, Form, Policy, Preview } from "../types";
import { added } from "./paths";
import { reversed, type Splice, spliced, spliceOf } from "./splice";

interface Step {
  splice: Splice;
  /** By what it was made: steps of one kind that follow soon are one. */
  by: string;
  at: number;
}

export interface Draft {
  /** What it began from: `text` minus this is the change. */
  base: Policy;
  text: string;
  /** Changes of controls that do not stand in the text yet; the gate writes them, so that comments stay. */
  pending: Change[];
  past: Step[];
  future: Splice[];
  /** Rises with everything that the gate has to look at. */
  edits: number;
  /** Of which of those it has. */
  checked: number;
  /** The last that could be read. */
  form: Form | null;
  /** The text is no YAML now: controls have nothing to change. */
  broken: boolean;
  errors: Finding[];
  warnings: Finding[];
  /** Somebody else's, in force now: applying would be refused. */
  theirs: Policy | undefined;
}

export type Action =
  | { do: "loaded"; policy: Policy }
  | { do: "typed"; text: string; at: number }
  | { do: "controlled"; changes: Change[] }
  | { do: "checked"; of: number; preview: Preview; at: number }
  | { do: "replaced"; text: string; at: number; base?: Policy }
  | { do: "undo" }
  | { do: "redo" };

const SOON_MS = 1_200;
const STEPS = 500;
const KEPT = 16_000_000; // characters of undo

export const draftOf = (policy: Policy): Draft => ({
  base: policy,
  text: policy.text,
  pending: [],
  past: [],
  future: [],
  edits: 0,
  checked: 0,
  form: policy.form,
  broken: !policy.form,
  errors: policy.errors ?? [],
  warnings: policy.warnings,
  theirs: undefined,
});

export const isChanged = (draft: Draft) => draft.pending.length > 0 || draft.text !== draft.base.text;
export const isChecked = (draft: Draft) => draft.checked === draft.edits;

const sizeOf = ({ removed, inserted }: Splice) => removed.length + inserted.length;

function trimmed(past: Step[]): Step[] {
  let size = 0;
  let from = past.length;
  while (from > 0 && past.length - from < STEPS) {
    size += sizeOf((past[from - 1] as Step).splice);
    if (size > KEPT && from < past.length) break;
    from -= 1;
  }
  return past.slice(from);
}

/** `draft` with another text, which can be undone. */
function written(draft: Draft, text: string, by: string, at: number): Draft {
  if (text === draft.text) return draft;
  const last = draft.past.at(-1);
  const joins = last?.by === by && at - last.at < SOON_MS;
  const from = joins ? spliced(draft.text, reversed(last.splice)) : draft.text;
  const past = [...(joins ? draft.past.slice(0, -1) : draft.past), { splice: spliceOf(from, text), by, at }];
  return { ...draft, text, past: trimmed(past), future: [], edits: draft.edits + 1 };
}

function loaded(draft: Draft, policy: Policy): Draft {
  if (policy.digest === draft.base.digest) return { ...draft, base: policy, theirs: undefined };
  if (policy.text === draft.text && !draft.pending.length) return { ...draft, base: policy, theirs: undefined };
  if (isChanged(draft)) return { ...draft, theirs: policy };
  const { past } = draft.past.length ? written(draft, policy.text, "theirs", 0) : draft;
  return { ...draftOf(policy), past, edits: draft.edits + 1, checked: draft.edits + 1 };
}

/** An answer to what is there no more says nothing. */
function checked(draft: Draft, { of, preview, at }: Extract<Action, { do: "checked" }>): Draft {
  if (of !== draft.edits) return draft;
  const by = [...new Set(draft.pending.map((one) => one.path.join(".")))].join(" ");
  const next = draft.pending.length ? written(draft, preview.text, `control ${by}`, at) : draft;
  const { errors, warnings } = preview;
  return {
    ...next,
    pending: [],
    form: preview.form ?? draft.form,
    broken: !preview.form,
    errors,
    warnings,
    edits: of,
    checked: of,
  };
}

function undone(draft: Draft): Draft {
  if (draft.pending.length) return { ...draft, pending: [], edits: draft.edits + 1 };
  const last = draft.past.at(-1);
  if (!last) return draft;
  const text = spliced(draft.text, reversed(last.splice));
  return {
    ...draft,
    text,
    past: draft.past.slice(0, -1),
    future: [...draft.future, last.splice],
    edits: draft.edits + 1,
  };
}

function redone(draft: Draft): Draft {
  const next = draft.future.at(-1);
  if (!next || draft.pending.length) return draft;
  return {
    ...draft,
    text: spliced(draft.text, next),
    past: [...draft.past, { splice: next, by: "redo", at: 0 }],
    future: draft.future.slice(0, -1),
    edits: draft.edits + 1,
  };
}

/** The draft after something happened. Nothing that was typed is ever lost: whatever replaces the text can be undone. */
export function after(draft: Draft, action: Action): Draft {
  switch (action.do) {
    case "loaded":
      return loaded(draft, action.policy);
    case "typed":
      return written(draft, action.text, "typing", action.at);
    case "controlled":
      return { ...draft, pending: added(draft.pending, action.changes), edits: draft.edits + 1 };
    case "checked":
      return checked(draft, action);
    case "replaced": {
      const next = written({ ...draft, pending: [] }, action.text, "replaced", action.at);
      if (!action.base) return { ...next, edits: draft.edits + 1 };
      return { ...next, base: action.base, theirs: undefined, edits: draft.edits + 1 };
    }
    case "undo":
      return undone(draft);
    case "redo":
      return redone(draft);
  }
}
