/** The policy in force and what is being made of it, kept in step with the gate. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useMemo, useReducer } from "react";
import { useLive } from "~/api/live";
import { useMay } from "~/parts/Needs";
import type { Change, Form, Policy } from "../types";
import { getPolicy, policyKey } from "./api";
import { type Action, after, type Draft, draftOf, isChanged } from "./draft";
import { overlaid } from "./paths";
import { type Checking, usePreview } from "./usePreview";

export interface Editing {
  draft: Draft;
  act: (action: Action) => void;
  /** What controls show: the last form that the gate made, with what was changed since. */
  form: Form | null;
  change: (...changes: Change[]) => void;
  changed: boolean;
  checking: Checking;
  /** May the reader change anything here at all? */
  may: boolean;
}

type Step = Action | { do: "begun"; policy: Policy };
const step = (draft: Draft | undefined, action: Step): Draft | undefined => {
  if (action.do === "begun")
    return draft ? after(draft, { do: "loaded", policy: action.policy }) : draftOf(action.policy);
  return draft && after(draft, action);
};

/** Asked again when the gate says that it serves by another version. */
function useInForce() {
  const queries = useQueryClient();
  const version = useLive().state?.version;
  useEffect(() => {
    if (version !== undefined) void queries.invalidateQueries({ queryKey: policyKey, exact: true });
  }, [version, queries]);
  return useQuery({ queryKey: policyKey, queryFn: ({ signal }) => getPolicy(signal), staleTime: 0 });
}

export function usePolicy(): { editing: Editing | undefined; error: unknown; retry: () => void } {
  const inForce = useInForce();
  const [draft, dispatch] = useReducer(step, undefined);
  const may = useMay("change_policy");
  const { data } = inForce;
  useEffect(() => {
    if (data) dispatch({ do: "begun", policy: data });
  }, [data]);
  const checking = usePreview(draft, dispatch);
  const change = useCallback((...changes: Change[]) => dispatch({ do: "controlled", changes }), []);
  const form = useMemo(() => {
    if (!draft?.form || !draft.pending.length) return draft?.form ?? null;
    return { ...draft.form, strategies: draft.form.strategies.map((one) => overlaid(one, draft.pending)) };
  }, [draft?.form, draft?.pending]);
  const editing = useMemo(
    () => draft && { draft, act: dispatch, form, change, changed: isChanged(draft), checking, may },
    [draft, form, change, checking, may],
  );
  return { editing, error: draft ? undefined : inForce.error, retry: () => void inForce.refetch() };
}

const Context = createContext<Editing | undefined>(undefined);
export const EditingProvider = Context.Provider;

export function useEditing(): Editing {
  const found = useContext(Context);
  if (!found) throw new Error("outside of the policy page");
  return found;
}
