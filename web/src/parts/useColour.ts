import { useComputedColorScheme } from "@mantine/core";
import { useMemo } from "react";

export interface Colour {
  (property: string): string;
  theme: "light" | "dark";
}

/** Of this turn: whoever makes several curves would have styles worked out for each, as every one of them adds to the page. */
const known = new Map<string, string>();

function resolved(property: string): string {
  if (!property.startsWith("--")) return property;
  if (known.size === 0) queueMicrotask(() => known.clear());
  const before = known.get(property);
  if (before !== undefined) return before;
  const value = getComputedStyle(document.documentElement).getPropertyValue(property).trim();
  known.set(property, value);
  return value;
}

/** The value of a custom property, for a canvas, in the theme that is shown. */
export function useColour(): Colour {
  const theme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  return useMemo(() => Object.assign((property: string) => resolved(property), { theme }), [theme]);
}
