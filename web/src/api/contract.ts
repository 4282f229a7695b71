/** Shapes of the admin API that its OpenAPI document cannot say: events, and what a session is. */

/** The rights that a role may have: `Right` of `control/admin/rights.py`, in lower case. */
export type Right =
  | "self"
  | "status"
  | "see_namespaces"
  | "change_namespaces"
  | "see_accounts"
  | "change_accounts"
  | "see_spend"
  | "see_bodies"
  | "purge"
  | "judge"
  | "change_jobs"
  | "run_drills"
  | "change_alerts"
  | "see_policy"
  | "change_policy"
  | "drain_accounts"
  | "play"
  | "audit"
  | "tokens";

export interface SessionView {
  name: string;
  role: "admin" | "operator" | "viewer" | "debugger" | "owner";
  namespace?: string | null;
  rights: Right[];
  csrf: string;
  expires: string;
  version: string;
}

export interface SessionMethods {
  token: boolean;
  oidc: { title: string } | null;
}

/** A minute's quota. */
export interface Quota {
  used: number;
  reserved: number;
  limit: number | null;
  learned: number | null;
}

export interface LiveLane {
  provider: string;
  scope: string;
  model: string;
  requests: Quota;
  tokens: Quota;
  closed_since?: string | null;
  limited_since?: string | null;
  throttled_minute: number;
}

export interface LiveQueue {
  pool: string;
  tier: string;
  model: string;
  waiting: number;
  wait_p50_ms: number;
  wait_p99_ms: number;
}

export interface LiveAlert {
  id: string;
  rule: string;
  severity: string;
  since: string;
  subject: string;
}

export interface LiveSentence {
  code: string;
  values: Record<string, string | number>;
}

/** One event a second of `GET /admin/v1/live`. */
export interface LiveState {
  at: string;
  node: string;
  ready: boolean;
  draining: boolean;
  version: number;
  workers: { ready: number; of: number };
  lanes: LiveLane[];
  queues: LiveQueue[];
  calls: {
    per_second: number;
    in_flight: number;
    error_permille: number;
    refused_per_minute: number;
    moved_per_minute: number;
  };
  cache: { asked_minute: number; hits_minute: number };
  jobs?: { waiting: number; running: number; dead: number } | null;
  spend_today: string;
  currency: string;
  alerts: LiveAlert[];
  sentence: LiveSentence;
}

/** `GET /admin/v1/live/recent`: the last minutes, a point a second. */
export interface LiveRecent {
  step_s: number;
  points: {
    at: string[];
    lanes: Record<string, { tokens: number[]; requests: number[] }>;
  };
}
