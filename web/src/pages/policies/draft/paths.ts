/** Places within the configuration, and the changes that controls make there. */
import type { Change, Path, Strategy } from "../types";

/** As findings name it: `strategies.fast.fallback_models[0].model`. */
export function dotted(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text ? `${text}.${part}` : part;
  }, "");
}

export const under = (path: Path, root: Path) => root.every((part, at) => path[at] === part);

/** What stands at a path of plain data. */
export function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>((inside, part) => {
    if (typeof inside !== "object" || inside === null) return undefined;
    return (inside as Record<string | number, unknown>)[part];
  }, data);
}

function copied(data: unknown, path: Path, change: Change): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return change.value;
  if (typeof part === "number") {
    const items: unknown[] = Array.isArray(data) ? [...(data as unknown[])] : [];
    if (rest.length === 0 && change.remove) items.splice(part, 1);
    else items[part] = copied(items[part], rest, change);
    return items;
  }
  const inside = { ...(typeof data === "object" && data !== null ? data : {}) } as Record<string, unknown>;
  inside[part] = copied(inside[part], rest, change);
  return inside;
}

/** A strategy as it will be once its changes stand in the text: controls follow the hand, not the network. */
export function overlaid(strategy: Strategy, changes: readonly Change[]): Strategy {
  return changes
    .filter((one) => under(one.path, strategy.path) && one.path.length > strategy.path.length)
    .reduce((shown, change) => {
      const inside = change.path.slice(strategy.path.length);
      const name = inside.join(".");
      const others = shown.set.filter((one) => one !== name && !one.startsWith(`${name}.`));
      const next = copied(shown, inside, change) as Strategy;
      return { ...next, set: change.remove ? others : [...others, name] };
    }, strategy);
}

/** With one more; what was changed at the same place and not sent yet is forgotten, unless it moves list items. */
export function added(pending: readonly Change[], changes: readonly Change[]): Change[] {
  const scalars = new Set(
    changes.filter((one) => one.path.every((part) => typeof part === "string")).map((one) => dotted(one.path)),
  );
  return [...pending.filter((one) => !scalars.has(dotted(one.path))), ...changes];
}
