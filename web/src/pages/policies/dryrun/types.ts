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

export interface Group {
  by: string;
  name: string;
  before: Figures;
  after: Figures;
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
}

export interface DryRun {
  id: string;
  state: "collecting" | "playing" | "done" | "failed" | "cancelled";
  percent: number;
  report?: Report | null;
  why?: string | null;
}
