import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { ADMIN, show } from "~/test/render";
import { Change } from "./audit/Change";
import { differenceOf } from "./audit/difference";
import Settings from "./index";
import { browserOf } from "./Sessions";
import { dayAfter } from "./tokens/NewToken";

const TOKEN = { name: "ann", role: "viewer", created: "2026-11-22T10:00:00Z" };
const CHANGE = {
  id: 7,
  at: "2026-11-22T10:00:00Z",
  actor: "ann",
  role: "admin",
  address: "10.0.0.1",
  action: "namespace.change",
  namespace: "acme",
  target: "acme",
  before: { limits: { rpm: 10, tpm: 5 } },
  after: { limits: { rpm: 20, tpm: 5 } },
};

function answers(found: (asked: string) => unknown) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (address: string, init?: RequestInit) => {
    const line = `${init?.method ?? "GET"} ${address}`;
    asked.push(line);
    return Promise.resolve(new Response(JSON.stringify(found(line) ?? []), { status: 200 }));
  });
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

test("a change is told field by field; what stayed is counted", () => {
  expect(differenceOf(CHANGE.before, CHANGE.after)).toEqual({
    lines: [{ field: "limits.rpm", before: "10", after: "20" }],
    same: 1,
  });
  expect(differenceOf(null, { name: "a", list: [1], none: {} }).lines.map((one) => [one.field, one.after])).toEqual([
    ["name", "a"],
    ["list", "[1]"],
    ["none", "{}"],
  ]);
  expect(differenceOf(undefined, null)).toEqual({ lines: [], same: 0 });
});

test("a browser is named in a word, whatever it says", () => {
  expect(browserOf("Mozilla/5.0 (X11) AppleWebKit/537.36 HeadlessChrome/156.0.0.0 Safari/537.36")).toBe(
    "HeadlessChrome 156",
  );
  expect(browserOf("x".repeat(200))).toHaveLength(25);
});

test("an expiry is a day, counted over the end of a month", () => {
  expect(dayAfter(1, new Date(2026, 11, 31, 23, 59))).toBe("2027-01-01");
});

test("everybody sees what they may do themselves; tabs are those of the role", async () => {
  answers(() => undefined);
  show(<Settings />, { session: { ...ADMIN, role: "viewer", rights: ["self", "status"] } });
  expect(await screen.findByText("see how the gate stands")).toBeTruthy();
  expect(screen.getAllByRole("tab").map((one) => one.textContent)).toEqual(["You", "Status"]);
});

test("a new token is shown once, and is gone when the dialogue is closed", async () => {
  const asked = answers((line) => (line.startsWith("POST") ? { ...TOKEN, token: "tga_once" } : [TOKEN]));
  show(<Settings />, { path: "/tokens" });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "New token" }));
  await user.type(await screen.findByLabelText(/Name/), "ann");
  await user.click(screen.getByRole("button", { name: "Create" }));
  expect(await screen.findByDisplayValue("tga_once")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Close" }));
  await waitFor(() => expect(screen.queryByDisplayValue("tga_once")).toBeNull());
  expect(asked).toContain("POST /admin/v1/tokens");
});

test("a change shows its fields before and after", () => {
  show(<Change of={CHANGE} />);
  expect(screen.getByText("limits.rpm")).toBeTruthy();
  expect(screen.getByText("20")).toBeTruthy();
  expect(screen.getByText("1 field stayed as it was")).toBeTruthy();
});
