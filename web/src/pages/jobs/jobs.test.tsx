import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { show } from "~/test/render";
import { wantedOf } from "./Filters";
import Jobs from "./index";
import { queuesOf } from "./Summary";

const JOB = {
  id: "job_1",
  namespace: "acme",
  key: "nightly",
  user: "",
  path: "/v1/chat/completions",
  model: "gpt-4o",
  backend: "redis://localhost:6379/0",
  state: "dead",
  reason: "it failed too often",
  cancelling: false,
  priority: 0,
  attempts: 3,
  crashes: 0,
  tags: [],
  batch: "",
  line: 0,
  custom_id: "",
  status: 0,
  prompt_tokens: 10,
  completion_tokens: 0,
  created: "2026-11-22T10:00:00Z",
  tried: [],
};

function answers(found: (address: string) => unknown) {
  const asked: string[] = [];
  const fake = (address: string, init?: RequestInit) => {
    asked.push(`${init?.method ?? "GET"} ${address}`);
    const body = found(address);
    const status = body === undefined ? 409 : 200;
    const told = body ?? { title: "Conflict", status, errors: [{ field: "jobs", problem: "none", remedy: "one" }] };
    return Promise.resolve(new Response(JSON.stringify(told), { status }));
  };
  vi.stubGlobal("fetch", fake);
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

test("queues add up what waits and runs, the fullest first", () => {
  const depth = (backend: string, state: string, jobs: number) => ({ backend, state, jobs });
  const found = queuesOf([depth("a", "queued", 1), depth("a", "running", 2), depth("b", "queued", 5)]);
  expect(found.map((one) => [one.name, one.waiting, one.running])).toEqual([
    ["b", 5, 0],
    ["a", 1, 2],
  ]);
});

test("the address says which jobs; what it does not know is no filter", () => {
  expect(wantedOf(new URLSearchParams("state=dead&model= gpt &other=1"))).toEqual({ state: ["dead"], model: "gpt" });
  expect(wantedOf(new URLSearchParams("state=strange"))).toEqual({ state: [] });
});

test("a gate without jobs says how to have some", async () => {
  answers(() => ({ enabled: false, open: [], ended: [] }));
  show(<Jobs />);
  expect(await screen.findByText(/execution_mode: async/)).toBeTruthy();
});

test("what was given up begins anew when it is asked for and confirmed", async () => {
  const asked = answers((address) => (address.includes("/jobs/job_1") ? JOB : { jobs: [JOB], open: [], ended: [] }));
  show(<Jobs />, { path: "/job_1" });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Begin anew" }));
  const buttons = await screen.findAllByRole("button", { name: "Begin anew" });
  const last = buttons.at(-1);
  if (last) await user.click(last);
  await waitFor(() => expect(asked).toContain("POST /admin/v1/jobs/job_1/requeue"));
});
