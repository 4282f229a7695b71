/** The words that every page needs; a page's own are with the page. */
import enParts from "./en/parts";
import enShell from "./en/shell";
import { catalogue } from "./words";
import zhParts from "./zh/parts";
import zhShell from "./zh/shell";

export const SHELL = catalogue(enShell, zhShell);
export const PARTS = catalogue(enParts, zhParts);
