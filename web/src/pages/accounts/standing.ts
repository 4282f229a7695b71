/** What is true of accounts, pure: their names, and which outlook somebody should read first. */
import type { Answer } from "~/api/client";
import type { Grade } from "~/parts/Level";

export type Provider = Answer<"/accounts">["providers"][number];
export type Scope = Provider["scopes"][number];
export type Lane = Scope["lanes"][number];
export type Key = Scope["keys"][number];
export type Outlook = Answer<"/usage/outlook">[number];

export const laneName = (provider: string, scope: string, model: string) => `${provider}/${scope}/${model}`;

/** Outlooks by lane, for each unit one. */
export function byLane(outlooks: readonly Outlook[]): Map<string, Outlook[]> {
  const found = new Map<string, Outlook[]>();
  for (const one of outlooks) {
    const lane = laneName(one.provider, one.scope, one.model);
    found.set(lane, [...(found.get(lane) ?? []), one]);
  }
  return found;
}

const HOUR_S = 3_600;
const DAY_S = 86_400;

/** Within an hour somebody must act, within a day somebody should know. */
export function gradeOfOutlook({ exhausted_in_seconds: seconds }: Outlook): Grade {
  if (typeof seconds !== "number") return "good";
  if (seconds <= HOUR_S) return "crit";
  return seconds <= DAY_S ? "warn" : "good";
}

/** The outlook that is met first; of those that are never met the one that comes nearest. */
export function nearest(outlooks: readonly Outlook[]): Outlook | undefined {
  const soon = (one: Outlook) => one.exhausted_in_seconds ?? one.likely_in_seconds ?? Infinity;
  const full = (one: Outlook) => (one.limit ? one.peak / one.limit : 0);
  return [...outlooks].sort((a, b) => {
    const [left, right] = [soon(a), soon(b)];
    return left === right ? full(b) - full(a) : left - right;
  })[0];
}

export function gradeOfLane(lane: Lane): Grade {
  if (lane.breaker === "open") return "crit";
  return lane.breaker === "half_open" || lane.throttled_minute > 0 ? "warn" : "good";
}

/** Providers with those scopes and lanes in whose names every word stands; a scope that matches keeps all its lanes. */
export function matching(providers: readonly Provider[], words: string): Provider[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return [...providers];
  const fits = (name: string) => wanted.every((word) => name.toLowerCase().includes(word));
  return providers
    .map((provider) => ({
      ...provider,
      scopes: provider.scopes
        .map((scope) => {
          if (fits(`${provider.name} ${scope.name}`)) return scope;
          return {
            ...scope,
            lanes: scope.lanes.filter((lane) => fits(`${provider.name} ${scope.name} ${lane.model}`)),
          };
        })
        .filter((scope) => scope.lanes.length > 0 || fits(`${provider.name} ${scope.name}`)),
    }))
    .filter((provider) => provider.scopes.length > 0);
}

/** Out of service: the scope itself, or each of its keys. */
export function outOfService(scope: Scope): boolean {
  return Boolean(scope.drained) || (scope.keys.length > 0 && scope.keys.every((key) => key.state === "drained"));
}

/** Would nothing of the provider be left in service without this scope, or without this key of it? */
export function isLast(provider: Provider, scope: Scope, fingerprint?: string): boolean {
  const others = provider.scopes.filter((one) => one.name !== scope.name);
  if (others.some((one) => !outOfService(one))) return false;
  if (fingerprint === undefined) return true;
  return scope.keys.every((key) => key.fingerprint === fingerprint || key.state === "drained");
}
