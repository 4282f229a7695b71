import { afterEach, expect, test, vi } from "vitest";
import { dress } from "./looks";

afterEach(() => {
  localStorage.clear();
  vi.unstubAllGlobals();
});

const prefers = (dark: boolean) =>
  vi.stubGlobal("matchMedia", (query: string) => ({ matches: dark && query.includes("dark") }));

test("before anything is drawn the page has the theme and the language that were chosen", () => {
  prefers(true);
  localStorage.setItem("mantine-color-scheme-value", "light");
  localStorage.setItem("tidegate.lang", "zh-CN");
  dress();
  expect(document.documentElement.dataset.mantineColorScheme).toBe("light");
  expect(document.documentElement.lang).toBe("zh-CN");
});

test.each([
  [true, "dark"],
  [false, "light"],
])("where nothing was chosen, or to follow the system, it has the system's", (dark, theme) => {
  prefers(dark);
  dress();
  expect(document.documentElement.dataset.mantineColorScheme).toBe(theme);
  localStorage.setItem("mantine-color-scheme-value", "auto");
  dress();
  expect(document.documentElement.dataset.mantineColorScheme).toBe(theme);
  expect(document.documentElement.lang).toBe("en");
});
