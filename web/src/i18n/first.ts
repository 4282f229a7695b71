/** The language of whoever comes, without anything that draws. */
export type Lang = "en" | "zh-CN";
export const KEPT = "tidegate.lang";

/** What was chosen before, else what the browser asks for. */
export function firstLang(): Lang {
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept === "en" || kept === "zh-CN") return kept;
  } catch {
    // no storage: nothing is remembered
  }
  const wanted = navigator.languages.find((one) => /^(zh|en)\b/i.test(one)) ?? "en";
  return /^zh/i.test(wanted) ? "zh-CN" : "en";
}
