/** Which alerts a silence matches, as somebody types it: a line for each label. */

/** `rule=limited_seconds`, a line each; undefined: a line is no such pair, a name comes twice, or there are none or too many. */
export function matchOf(text: string): Record<string, string> | undefined {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const found = new Map<string, string>();
  for (const line of lines) {
    const cut = line.indexOf("=");
    const name = line.slice(0, cut).trim();
    if (cut < 1 || found.has(name)) return undefined;
    found.set(name, line.slice(cut + 1).trim());
  }
  return found.size >= 1 && found.size <= 8 ? Object.fromEntries(found) : undefined;
}

export const textOf = (match: Readonly<Record<string, string>>) =>
  Object.entries(match)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
