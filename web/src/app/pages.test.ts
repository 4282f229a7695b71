import { expect, test } from "vitest";
import { PAGES, pageAt } from "./pages";

test("an address belongs to a page, with all that is below it", () => {
  expect(pageAt("/")).toBe(PAGES.overview);
  expect(pageAt("/calls")).toBe(PAGES.calls);
  expect(pageAt("/calls/018f-1")).toBe(PAGES.calls);
  expect(pageAt("/callsign")).toBeUndefined();
});
