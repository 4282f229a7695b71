/** What the API tells of drills, made ready to be shown: pure. */
import type { Answer } from "~/api/client";
import type { Grade } from "~/parts/Level";

export type Drill = Answer<"/drills">["drills"][number];
export type Target = Drill["targets"][number];
export type Run = Answer<"/drills/{drill}/runs">["runs"][number];
export type Finding = Answer<"/drills/check">[number];
export type Shadow = Answer<"/shadows">[number];

export interface Verdict {
  kind: string;
  met: boolean | null;
  weight: number;
  why: string;
}

/** One answer of a run, as far as it is kept. */
export interface Judged {
  prompt: string;
  fault: string;
  streamed: boolean;
  call: string;
  problem: string;
  verdicts: Verdict[];
}

const DAY_MS = 86_400_000;

/** A proof that holds, and ends within so long, or within a fifth of the time that it was good for. */
export function endsSoon(target: Target, now: number): boolean {
  if (target.state !== "passed" || !target.until) return false;
  const until = Date.parse(target.until);
  const run = target.run ? Date.parse(target.run) : now;
  return until - now <= Math.min(DAY_MS, (until - run) / 5);
}

export function gradeOfTarget(target: Target, now: number): Grade {
  if (target.state === "failed") return "crit";
  return target.state === "passed" && !endsSoon(target, now) ? "good" : "warn";
}

/** Strategies of a drill, each with its targets; the primary first. */
export function byStrategy(targets: readonly Target[]): [string, Target[]][] {
  const found = new Map<string, Target[]>();
  for (const one of targets) found.set(one.strategy, [...(found.get(one.strategy) ?? []), one]);
  for (const some of found.values()) some.sort((a, b) => Number(b.primary) - Number(a.primary));
  return [...found];
}

/** Where the ledger has a call: its number, of the id that clients are told. */
export function callOf(id: string): string | undefined {
  const hex = /^(?:req_)?([0-9a-f]{1,16})$/.exec(id)?.[1];
  return hex ? BigInt(`0x${hex}`).toString() : undefined;
}

const text = (value: unknown) => (typeof value === "string" ? value : "");
const object = (value: unknown) =>
  (typeof value === "object" && value !== null ? { ...value } : {}) as Record<string, unknown>;

function verdictOf(value: unknown): Verdict {
  const found = object(value);
  const weight = typeof found.weight === "number" ? found.weight : 1;
  return {
    kind: text(found.kind),
    met: typeof found.met === "boolean" ? found.met : null,
    weight,
    why: text(found.why),
  };
}

/** The answers of a run, which the API's document types loosely. */
export function judgedOf(answers: Run["answers"]): Judged[] {
  return answers.map((one) => ({
    prompt: text(one.prompt),
    fault: text(one.fault),
    streamed: one.streamed === true,
    call: text(one.call),
    problem: text(one.problem),
    verdicts: Array.isArray(one.verdicts) ? one.verdicts.map(verdictOf) : [],
  }));
}

/** So many times what the primary has; undefined: it has none. */
export function timesOf(candidate: number, primary: number): number | undefined {
  return primary > 0 ? candidate / primary : undefined;
}

const LEVELS = ["error", "warning", "note"] as const;
export type FindingLevel = (typeof LEVELS)[number];

/** Findings by level, the worst first; levels that have none are left out. */
export function byLevel(findings: readonly Finding[]): [FindingLevel, Finding[]][] {
  return LEVELS.map((level): [FindingLevel, Finding[]] => [
    level,
    findings.filter((one) => one.level === level),
  ]).filter(([, some]) => some.length > 0);
}
