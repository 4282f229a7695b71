import { createTheme, type MantineColorsTuple } from "@mantine/core";

/** Tide: a deep teal. Shade 6 carries white text at 5.9:1, shade 5 at 4.8:1, shade 3 stands on dark at 8:1. */
const tide: MantineColorsTuple = [
  "#e8f6f7",
  "#d3eaec",
  "#a5d5d9",
  "#74bfc5",
  "#4dacb4",
  "#217d87",
  "#0f6b76",
  "#0c5a63",
  "#084850",
  "#04343a",
];

const slate: MantineColorsTuple = [
  "#d5dde3",
  "#b8c4cd",
  "#98a7b3",
  "#6f8090",
  "#45535f",
  "#2f3a44",
  "#202a32",
  "#172027",
  "#10181e",
  "#0a1014",
];

const SANS = "var(--tg-sans)"; // what is shown before anything runs has it too

export const theme = createTheme({
  colors: { tide, dark: slate },
  primaryColor: "tide",
  primaryShade: { light: 6, dark: 5 },
  autoContrast: true,
  luminanceThreshold: 0.32,
  defaultRadius: "md",
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  fontFamily: SANS,
  fontFamilyMonospace: '"JetBrains Mono", "SF Mono", Menlo, Consolas, "Noto Sans Mono CJK SC", monospace',
  headings: { fontFamily: SANS, fontWeight: "620" },
});
