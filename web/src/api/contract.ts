/** Shapes of the admin API that its OpenAPI document says loosely, or under other names. */
import type { components } from "./schema";

/** The rights that a role may have: `Right` of `control/admin/auth/rights.py`, in lower case. */
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
  /** Who is signed in here; null: nobody. */
  session: SessionView | null;
}

type Schemas = components["schemas"];

/** One event a second of `GET /admin/v1/live`. `used` is settled, `reserved` is of calls in flight. */
export type LiveState = Schemas["LiveView"];
export type LiveLane = Schemas["LiveLaneView"];
export type LiveQueue = Schemas["LiveQueueView"];
export type LiveAlert = Schemas["LiveAlertView"];
export type LiveSentence = Schemas["SentenceView"];
export type Quota = Schemas["LiveQuotaView"];
/** `GET /admin/v1/live/recent`: the last minutes, a point a second; of each what was charged in the minute before. */
export type LiveRecent = Schemas["RecentView"];
