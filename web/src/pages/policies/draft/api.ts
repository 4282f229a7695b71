/** The policy routes of the admin API. */
import { askJson } from "~/api/client";
import type { DryRun } from "../dryrun/types";
import type { Applied, Change, HistoryDetail, HistoryEntry, Policy, Preview } from "../types";

export const policyKey = ["policy"] as const;
export const historyKey = ["policy", "history"] as const;

export const getPolicy = (signal?: AbortSignal) => askJson<Policy>("get", "/policy", { signal });

export interface Tried {
  base: string;
  text?: string;
  changes?: readonly Change[];
}

export const tryPolicy = (body: Tried, signal: AbortSignal) =>
  askJson<Preview>("post", "/policy/preview", { body, signal });

export const applyPolicy = (body: { base: string; text: string; comment?: string }) =>
  askJson<Applied>("post", "/policy/apply", { body });

/** The newest first; a page is what came before the version `before`. */
export const getHistory = (before: string | number | undefined, signal?: AbortSignal) =>
  askJson<HistoryEntry[]>("get", "/policy/history", { query: { before, limit: PAGE }, signal });
export const PAGE = 50;

export const getHistoryOf = (id: string | number, signal?: AbortSignal) =>
  askJson<HistoryDetail>("get", "/policy/history/{id}", { path: { id }, signal });

export const restore = (id: string | number, base: string) =>
  askJson<Applied>("post", "/policy/history/{id}/restore", { path: { id }, body: { base } });

export const startDryRun = (body: { text: string; base: string; since: string }) =>
  askJson<{ id: string }>("post", "/policy/dryrun", { body });

export const getDryRun = (run: string, signal?: AbortSignal) =>
  askJson<DryRun>("get", "/policy/dryrun/{run}", { path: { run }, signal });

export const endDryRun = (run: string) => askJson<undefined>("delete", "/policy/dryrun/{run}", { path: { run } });
