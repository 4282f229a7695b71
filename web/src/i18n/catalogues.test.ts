import { expect, test } from "vitest";
import type { Phrase, Words } from "./words";

const EN = import.meta.glob<{ default: Words }>("./en/*.ts", { eager: true });
const ZH = import.meta.glob<{ default: Words }>("./zh/*.ts", { eager: true });

const texts = (phrase: Phrase) => (typeof phrase === "string" ? [phrase] : Object.values(phrase));
const holes = (phrase: Phrase) =>
  new Set(texts(phrase).flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)));

test("each catalogue is there in both languages, with the same keys and the same values in each text", () => {
  expect(Object.keys(ZH).map((path) => path.replace("/zh/", "/en/"))).toEqual(Object.keys(EN));
  for (const [path, { default: words }] of Object.entries(EN)) {
    const other = ZH[path.replace("/en/", "/zh/")]?.default ?? {};
    expect(Object.keys(other).sort(), path).toEqual(Object.keys(words).sort());
    for (const [key, phrase] of Object.entries(words)) {
      expect(holes(other[key] ?? ""), `${path} ${key}`).toEqual(holes(phrase));
    }
  }
});
