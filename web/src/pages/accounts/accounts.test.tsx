import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { ADMIN, show } from "~/test/render";
import Accounts from "./index";
import { byLane, gradeOfOutlook, isLast, matching, nearest, type Outlook, type Provider } from "./standing";

const LANE = { model: "gpt-4o", limits: {}, in_flight: 0, breaker: "closed", throttled_minute: 0 } as const;
const KEY = { fingerprint: "0123abcd", state: "good" } as const;
const OPENAI: Provider = {
  name: "openai",
  dialect: "openai",
  base_url_host: "127.0.0.1:1",
  scopes: [
    { name: "main", in_flight: 1, lanes: [LANE], keys: [KEY] },
    { name: "spare", in_flight: 0, lanes: [], keys: [{ ...KEY, state: "drained" }] },
  ],
};
const OUTLOOK: Outlook = {
  provider: "openai",
  scope: "main",
  model: "gpt-4o",
  unit: "tokens",
  limit: 100,
  rate: 1,
  method: "trend",
  history_hours: 30,
  peak: 50,
  peak_at: "",
};

afterEach(() => vi.unstubAllGlobals());

function answers() {
  const asked: [string, unknown][] = [];
  vi.stubGlobal("fetch", (address: string, init?: RequestInit) => {
    asked.push([`${init?.method ?? "GET"} ${address}`, init?.body]);
    const body = address.includes("outlook") ? [] : { providers: [OPENAI], since: "", by: "", reason: "" };
    return Promise.resolve(new Response(JSON.stringify(body), { status: 200 }));
  });
  return asked;
}

test("the outlook that is met first is read first; within an hour it is critical", () => {
  const soon = { ...OUTLOOK, unit: "requests" as const, exhausted_in_seconds: 1_800 };
  expect(nearest([OUTLOOK, soon])).toBe(soon);
  expect(nearest([OUTLOOK, { ...OUTLOOK, peak: 90 }])?.peak).toBe(90);
  expect([soon, { ...soon, exhausted_in_seconds: 7_200 }, OUTLOOK].map(gradeOfOutlook)).toEqual([
    "crit",
    "warn",
    "good",
  ]);
  expect(byLane([OUTLOOK, soon]).get("openai/main/gpt-4o")).toHaveLength(2);
});

test("the last account in service is known, by its keys too", () => {
  const [main, spare] = OPENAI.scopes;
  if (!main || !spare) throw new Error("two scopes");
  expect(isLast(OPENAI, main)).toBe(true);
  expect(isLast(OPENAI, main, "0123abcd")).toBe(true);
  expect(isLast({ ...OPENAI, scopes: [main, { ...spare, keys: [KEY] }] }, main)).toBe(false);
});

test("the filter finds scopes and models", () => {
  expect(matching([OPENAI], "GPT").map((one) => one.scopes.map((scope) => scope.name))).toEqual([["main"]]);
  expect(matching([OPENAI], "spare")[0]?.scopes).toHaveLength(1);
  expect(matching([OPENAI], "azure")).toEqual([]);
});

test("an account is taken out of service with a reason, once that is confirmed", async () => {
  const asked = answers();
  show(<Accounts />);
  const user = userEvent.setup();
  const [first] = await screen.findAllByRole("button", { name: "Take out of service" });
  if (first) await user.click(first);
  await user.type(await screen.findByLabelText("Reason"), "a bill");
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Take out of service" }));
  await waitFor(() =>
    expect(asked).toContainEqual(["POST /admin/v1/accounts/openai/main/drain", JSON.stringify({ reason: "a bill" })]),
  );
}, 20_000);

test("who may not drain is not asked", async () => {
  answers();
  show(<Accounts />, { session: { ...ADMIN, role: "viewer", rights: ["self", "status"] } });
  const [first] = await screen.findAllByRole("button", { name: "Take out of service" });
  expect(first?.getAttribute("aria-disabled")).toBe("true");
});
