/** Shapes of the policy API; `Strategy` is as the file says it, with defaults in the place of what is left out. */

export type Path = readonly (string | number)[];

/** A value is to stand at `path`, or nothing. */
export interface Change {
  path: Path;
  value?: unknown;
  remove?: true;
}

/** An error or a warning; lines and columns count from 1, `field` is a path such as `strategies.fast.primary_model`. */
export interface Finding {
  line: number;
  column: number;
  field: string;
  message: string;
  remedy: string;
  file?: string;
}

export interface Fallback {
  model: unknown;
  priority: unknown;
}

/** Values may be anything where the file is wrong or names the environment. */
export interface Strategy {
  path: (string | number)[];
  name: string;
  primary_model: unknown;
  fallback_models: Fallback[];
  /** What stands in the file: `caching.ttl_seconds`. */
  set: string[];
  [field: string]: unknown;
}

export interface Form {
  strategies: Strategy[];
  models: string[];
}

/** What is in force. */
export interface Policy {
  digest: string;
  version: number;
  file: string;
  text: string;
  form: Form | null;
  writable: boolean;
  why_not?: string | null;
  errors?: Finding[];
  warnings: Finding[];
}

export interface Preview {
  text: string;
  diff: string;
  added?: number;
  removed?: number;
  errors: Finding[];
  warnings: Finding[];
  form: Form | null;
  digest: string;
}

export interface Applied {
  version: number;
  digest: string;
  in_force_after_ms: number;
}

export interface HistoryEntry {
  id: string | number;
  at: string;
  by: string;
  comment?: string | null;
  digest: string;
  added: number;
  removed: number;
}

export interface HistoryDetail extends HistoryEntry {
  text: string;
  diff: string;
}
