/** What the page is drawn in, known before anything is drawn: changed later, all would be laid out anew. */
import { firstLang } from "~/i18n/first";

const KEPT = "mantine-color-scheme-value"; // where Mantine keeps what was chosen

function firstTheme(): "light" | "dark" {
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept === "light" || kept === "dark") return kept;
  } catch {
    // no storage: nothing is remembered
  }
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

export function dress() {
  const page = document.documentElement;
  page.lang = firstLang();
  page.dataset.mantineColorScheme = firstTheme();
  page.dataset.respectReducedMotion = "true";
}

/** The first formatter takes the browser 20 ms, whichever it is: it has them while scripts and answers come. */
export function warm() {
  new Intl.NumberFormat(firstLang()).format(0);
  new Intl.DateTimeFormat(firstLang()).format(0);
}
