/** Which suggestions a list shows: all before anything is typed, then those that fit; none when it is one of them. */
import type { ComboboxItem, OptionsFilter } from "@mantine/core";

export function fitting(typed: string | undefined): OptionsFilter {
  return ({ options, limit }) => {
    const items = options as ComboboxItem[];
    if (typed === undefined) return items.slice(0, limit);
    const search = typed.trim().toLowerCase();
    if (items.some((one) => one.label.toLowerCase() === search)) return [];
    return items.filter((one) => one.label.toLowerCase().includes(search)).slice(0, limit);
  };
}
