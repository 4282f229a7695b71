/** Forms of namespaces, users and keys: which fields they have, and what of them is sent. Pure; the gate validates. */
import type { Word } from "./words";

export type Kind = "text" | "number" | "choice" | "list" | "moment" | "yes";

export interface Field {
  /** As the API names it: `limits.rpm`. */
  path: string;
  kind: Kind;
  label: Word;
  hint?: Word;
  /** Of a choice; the word of each is `v_…`. */
  choices?: readonly string[];
  /** Of a text. */
  suggestions?: "tiers" | "zones" | "users";
}

export interface Group {
  title?: Word;
  folded?: boolean;
  fields: readonly Field[];
}

/** What stands in the fields; a list has a line for each entry, a yes is `yes` or nothing. */
export type Draft = Readonly<Record<string, string>>;

const ON_LOSS = ["local", "closed", "open"] as const;
const MODELS: Field = { path: "models", kind: "list", label: "f_models", hint: "f_models_hint" };
const BOUNDS: Group = {
  title: "g_bounds",
  fields: [
    { path: "limits.rpm", kind: "number", label: "f_rpm" },
    { path: "limits.tpm", kind: "number", label: "f_tpm" },
    { path: "limits.concurrent", kind: "number", label: "f_concurrent" },
    { path: "limits.tokens_per_day", kind: "number", label: "f_tokens_per_day" },
  ],
};
const BUDGET: Group = {
  title: "g_budget",
  fields: [
    { path: "budget.per_day", kind: "text", label: "f_per_day" },
    { path: "budget.per_month", kind: "text", label: "f_per_month" },
  ],
};
const LOSS: readonly Field[] = [
  { path: "limits.on_state_loss", kind: "choice", label: "f_on_loss", choices: ON_LOSS },
  { path: "budget.on_state_loss", kind: "choice", label: "f_on_loss", choices: ON_LOSS },
];
const within = (group: Group, field: Field | undefined): Group =>
  field ? { ...group, fields: [...group.fields, field] } : group;

const NAME: Field = { path: "name", kind: "text", label: "f_name" };

export const NAMESPACE: readonly Group[] = [
  {
    fields: [
      { path: "tier", kind: "text", label: "f_tier", suggestions: "tiers" },
      { path: "weight", kind: "number", label: "f_weight" },
      { path: "timezone", kind: "text", label: "f_timezone", suggestions: "zones" },
      MODELS,
    ],
  },
  within(BOUNDS, LOSS[0]),
  within(BUDGET, LOSS[1]),
  {
    title: "g_more",
    folded: true,
    fields: [
      { path: "on_revoked", kind: "choice", label: "f_on_revoked", choices: ["finish", "cut"] },
      { path: "stored_objects", kind: "yes", label: "f_stored_objects" },
    ],
  },
  {
    title: "g_bodies",
    folded: true,
    fields: [
      { path: "bodies.sample", kind: "number", label: "f_sample", hint: "f_sample_hint" },
      { path: "bodies.always", kind: "list", label: "f_always", hint: "f_always_hint" },
      { path: "bodies.max_bytes", kind: "number", label: "f_max_bytes" },
      { path: "bodies.keep_days", kind: "number", label: "f_keep_days" },
      { path: "bodies.redact", kind: "list", label: "f_redact", hint: "f_redact_hint" },
    ],
  },
];

export const USER: readonly Group[] = [{ fields: [MODELS] }, within(BOUNDS, LOSS[0]), within(BUDGET, LOSS[1])];

const MOMENTS: readonly Field[] = [
  { path: "not_before", kind: "moment", label: "f_not_before", hint: "f_moment_hint" },
  { path: "expires", kind: "moment", label: "f_expires", hint: "f_moment_hint" },
];

export const KEY: readonly Group[] = [
  {
    fields: [
      { path: "user", kind: "text", label: "f_user", suggestions: "users" },
      ...MOMENTS,
      MODELS,
      { path: "addresses", kind: "list", label: "f_addresses", hint: "f_addresses_hint" },
      { path: "signing", kind: "choice", label: "f_signing", choices: ["off", "optional", "required"] },
    ],
  },
  within(BOUNDS, LOSS[0]),
  within(BUDGET, LOSS[1]),
];

/** The same form with a name before all else, for what is made. */
export function named(groups: readonly Group[], hint?: Word): readonly Group[] {
  const first: Field = hint ? { ...NAME, hint } : NAME;
  return groups.map((group, index) => (index === 0 ? { ...group, fields: [first, ...group.fields] } : group));
}

export const fieldsOf = (groups: readonly Group[]): Field[] => groups.flatMap((group) => [...group.fields]);

function at(record: unknown, path: string): unknown {
  let found = record;
  for (const part of path.split(".")) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Record<string, unknown>)[part];
  }
  return found;
}

const two = (value: number) => String(value).padStart(2, "0");

/** A moment as `datetime-local` has it, to the minute, in the reader's zone. */
function local(moment: string): string {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return "";
  const day = `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

function textOf(kind: Kind, value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join("\n");
  if (kind === "yes") return value === true ? "yes" : "";
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") return "";
  return kind === "moment" ? local(value) : value;
}

/** What a record says, as it stands in the fields. */
export function draftOf(groups: readonly Group[], record: unknown): Draft {
  return Object.fromEntries(fieldsOf(groups).map(({ path, kind }) => [path, textOf(kind, at(record, path))]));
}

const NUMBER = /^[+-]?\d+(\.\d+)?$/;
const lines = (text: string) =>
  text
    .split("\n")
    .map((one) => one.trim())
    .filter(Boolean);

/** What is sent for a text; what is no number is sent as it is, and the gate says what is wrong with it. */
function valueOf(kind: Kind, text: string): unknown {
  const said = text.trim();
  if (kind === "list") return lines(text);
  if (kind === "yes") return said === "yes";
  if (kind === "number") return NUMBER.test(said) ? Number(said) : said;
  if (kind === "moment") {
    const date = new Date(said);
    return Number.isNaN(date.getTime()) ? said : date.toISOString();
  }
  return said;
}

type Tree = Record<string, unknown>;

function put(tree: Tree, path: string, value: unknown) {
  const parts = path.split(".");
  const last = parts.pop() ?? "";
  let place = tree;
  for (const part of parts) {
    const next = (place[part] ?? {}) as Tree;
    place[part] = next;
    place = next;
  }
  place[last] = value;
}

/** What makes a record: fields that say nothing are left out. */
export function bodyOf(groups: readonly Group[], draft: Draft): Tree {
  const body: Tree = {};
  for (const { path, kind } of fieldsOf(groups)) {
    const text = draft[path] ?? "";
    if (text.trim()) put(body, path, valueOf(kind, text));
  }
  return body;
}

const same = (kind: Kind, left: string, right: string) =>
  kind === "list" ? lines(left).join("\n") === lines(right).join("\n") : left.trim() === right.trim();

/** What changes a record (RFC 7396): only fields that differ, null for those that were emptied. */
export function patchOf(groups: readonly Group[], before: Draft, after: Draft): Tree {
  const patch: Tree = {};
  for (const { path, kind } of fieldsOf(groups)) {
    const [was, is] = [before[path] ?? "", after[path] ?? ""];
    if (!same(kind, was, is)) put(patch, path, is.trim() ? valueOf(kind, is) : null);
  }
  return withoutEmptied(groups, before, after, patch);
}

/** A part that was there and of which every field was emptied goes as a whole, so that what stands above it counts. */
function withoutEmptied(groups: readonly Group[], before: Draft, after: Draft, patch: Tree): Tree {
  const fields = fieldsOf(groups).filter((one) => one.path.startsWith("bodies."));
  const filled = (draft: Draft) => fields.some((one) => draft[one.path]?.trim());
  return filled(before) && !filled(after) ? { ...patch, bodies: null } : patch;
}
