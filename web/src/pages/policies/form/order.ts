/** Which model is tried when: the primary first, then fallbacks by priority; and how another order is written. */
import type { Change, Path, Strategy } from "../types";

export interface Target {
  /** Stays the same while targets are moved. */
  id: string;
  model: string;
  priority: number | undefined;
  /** Where it stands in `fallback_models`; the primary does not. */
  index: number | undefined;
}

const text = (value: unknown) => (typeof value === "string" ? value : "");
const whole = (value: unknown) => (typeof value === "number" ? value : undefined);

/** As the gate tries them: those without a priority come last, in the file's order. */
export function targetsOf(strategy: Strategy): Target[] {
  const fallbacks = strategy.fallback_models.map((one, index) => ({
    id: `fallback-${index}`,
    model: text(one.model),
    priority: whole(one.priority),
    index,
  }));
  const rank = (one: Target) => one.priority ?? Number.POSITIVE_INFINITY;
  fallbacks.sort((a, b) => (rank(a) === rank(b) ? a.index - b.index : rank(a) - rank(b)));
  return [{ id: "primary", model: text(strategy.primary_model), priority: undefined, index: undefined }, ...fallbacks];
}

const fallback = (strategy: Strategy, ...rest: (string | number)[]): Path => [
  ...strategy.path,
  "fallback_models",
  ...rest,
];

/** The changes that make another order: only names and priorities, so that comments stay with their lines. */
export function moved(strategy: Strategy, from: number, to: number): Change[] {
  const before = targetsOf(strategy);
  const next = [...before];
  const [taken] = next.splice(from, 1);
  if (!taken || from === to || to < 0 || to >= before.length) return [];
  next.splice(to, 0, taken);
  const changes: Change[] = [];
  const [first, old] = [next[0] as Target, before[0] as Target];
  let places = next.map((one) => one.index);
  if (first.index !== undefined) {
    // the old primary takes the line of the one that is first now
    changes.push({ path: [...strategy.path, "primary_model"], value: first.model });
    changes.push({ path: fallback(strategy, first.index, "model"), value: old.model });
    places = next.map((one) => (one.index === undefined ? first.index : one.index));
    places[0] = undefined;
  }
  return [...changes, ...ranked(strategy, places.slice(1) as number[])];
}

/** Priorities by which these lines come in this order: those that stand there, where they are enough. */
function ranked(strategy: Strategy, order: readonly number[]): Change[] {
  const stands = targetsOf(strategy)
    .slice(1)
    .map((one) => one.index);
  if (order.every((index, at) => index === stands[at])) return [];
  const given = strategy.fallback_models.map((one) => whole(one.priority));
  const known = [...new Set(given.filter((one) => one !== undefined))].sort((a, b) => a - b);
  return order.flatMap((index, at) => {
    const value = known.length === order.length ? known[at] : at + 1;
    return given[index] === value ? [] : [{ path: fallback(strategy, index, "priority"), value }];
  });
}

/** One more, tried last. Where the others have no priorities it needs none. */
export function appended(strategy: Strategy, model: string): Change {
  const given = strategy.fallback_models.map((one) => whole(one.priority));
  const known = given.filter((one) => one !== undefined);
  const bare = given.length > 0 && known.length < given.length;
  const value = bare ? { model } : { model, priority: Math.max(0, ...known) + 1 };
  return { path: fallback(strategy, given.length), value };
}

export const removed = (strategy: Strategy, index: number): Change => ({
  path: fallback(strategy, index),
  remove: true,
});

export function renamed(strategy: Strategy, target: Target, model: string): Change {
  if (target.index === undefined) return { path: [...strategy.path, "primary_model"], value: model };
  return { path: fallback(strategy, target.index, "model"), value: model };
}
