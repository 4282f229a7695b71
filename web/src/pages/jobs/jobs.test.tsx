import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { show } from "~/test/render";
import { wantedOf } from "./Filters";
import Jobs from "./index";
import { paceOf, withSample } from "./pace";
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

test("all dead letters that are listed begin anew; one that is refused stays, and says why", async () => {
  const dead = ["job_1", "job_2", "job_3"].map((id) => ({ ...JOB, id }));
  const asked = answers((address) => {
    if (address.includes("/jobs/job_2/")) return undefined;
    return address.includes("/requeue")
      ? JOB
      : { jobs: [...dead, { ...JOB, id: "job_4", state: "done" }], enabled: true, open: [], ended: [] };
  });
  show(<Jobs />);
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Begin anew: all 3 that are listed" }));
  await user.click(await screen.findByRole("button", { name: "Begin anew" }));
  expect(await screen.findByText("Begun anew: 2")).toBeTruthy();
  expect(screen.getByText("Have these jobs begin anew: 1?")).toBeTruthy();
  const requeued = asked.filter((one) => one.startsWith("POST"));
  expect(requeued.map((one) => one.split("/").at(-2))).toEqual(["job_1", "job_2", "job_3"]);
});

test("a pace is told once it was looked at for ten seconds, and begins anew where jobs were forgotten", () => {
  const at = (seconds: number, left: number, ended: number) => ({ at: seconds * 1_000, left, ended });
  const samples = withSample(withSample([], at(0, 100, 10)), at(5, 95, 15));
  expect(paceOf(samples)).toBeUndefined();
  expect(paceOf(withSample(samples, at(20, 80, 30)))).toEqual({ perMinute: 60, seconds: 80 });
  expect(paceOf(withSample(samples, at(20, 0, 30)))).toEqual({ perMinute: 60, seconds: undefined });
  expect(paceOf(withSample(samples, at(20, 100, 5)))).toBeUndefined();
  expect(withSample(samples, at(200, 1, 50))).toHaveLength(1);
});
