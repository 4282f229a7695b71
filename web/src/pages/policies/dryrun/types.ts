/** The report of a dry run, as `tidegate policy test --json` prints it (`dryrun/report.py`). */

export interface Figures {
  calls: number;
  answered: number;
  hits: number;
  refused: number;
  refusals: Record<string, number>;
  failed: number;
  queued: number;
  wait_p95_ms: number;
  paused: number;
  degraded: number;
  moved: number;
  throttled: number;
  attempts: number;
  cost_nano: number;
}

/** How far one play lies from another (standard deviation); what is nought is left out. */
export type Spread = Partial<Omit<Figures, "refusals" | "calls">>;

export interface Group {
  by: string;
  name: string;
  before: Figures;
  after: Figures;
  before_spread: Spread;
  after_spread: Spread;
  /** Figures whose change is no larger than what chance makes of the same calls. */
  unsure: string[];
}

export interface Refusals {
  rule: string;
  why: string;
  namespace: string;
  calls: number;
  answered: number;
  first_us: number;
  last_us: number;
}

export interface Report {
  from_us: number;
  to_us: number;
  calls: number;
  /** What `before` of the groups is: `recorded`, or `current`: the policy in force, played as well. */
  before: string;
  groups: Group[];
  findings: Refusals[];
  unmatched: { kind: string; name: string; what: string }[];
  notes: string[];
  recorded: Figures;
  currency: string;
  /** Of each policy; of one alone no spread is known. */
  plays: number;
}

export interface DryRun {
  id: string;
  state: "collecting" | "playing" | "done" | "failed" | "cancelled";
  percent: number;
  report?: Report | null;
  why?: string | null;
}
