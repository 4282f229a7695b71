import { useComputedColorScheme } from "@mantine/core";
import { useMemo } from "react";

export interface Colour {
  (property: string): string;
  theme: "light" | "dark";
}

const resolved = (property: string) =>
  property.startsWith("--") ? getComputedStyle(document.documentElement).getPropertyValue(property).trim() : property;

/** The value of a custom property, for a canvas, in the theme that is shown. */
export function useColour(): Colour {
  const theme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  return useMemo(() => Object.assign((property: string) => resolved(property), { theme }), [theme]);
}
