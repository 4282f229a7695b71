import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { show } from "~/test/render";
import Drills from "./index";
import { byLevel, byStrategy, callOf, endsSoon, gradeOfTarget, judgedOf, type Target, timesOf } from "./proofs";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const TARGET: Target = {
  strategy: "chat",
  target: "good",
  primary: false,
  state: "passed",
  score: 100,
  run: "2026-11-20T12:00:00Z",
  until: "2026-11-27T12:00:00Z",
  out: false,
  why: "",
};
const DRILL = {
  name: "core",
  strategies: ["chat"],
  prompts: ["refund"],
  schedule: "every 24 h",
  on_failure: "out",
  running: false,
  waiting: false,
  targets: [
    TARGET,
    { ...TARGET, target: "bad", state: "failed", score: 10, out: true, why: "refund: it lacks “7 days”" },
  ],
};

function answers(body: unknown) {
  const asked: string[] = [];
  const fake = (address: string, init?: RequestInit) => {
    asked.push(`${init?.method ?? "GET"} ${address}`);
    return Promise.resolve(new Response(JSON.stringify(body)));
  };
  vi.stubGlobal("fetch", fake);
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

test("a proof is warned of in the last day, or the last fifth of its time", () => {
  expect(endsSoon(TARGET, NOW)).toBe(false);
  expect(endsSoon({ ...TARGET, until: "2026-11-24T11:00:00Z", run: "2026-11-17T11:00:00Z" }, NOW)).toBe(true);
  expect(endsSoon({ ...TARGET, run: "2026-11-23T11:00:00Z", until: "2026-11-24T11:00:00Z" }, NOW)).toBe(false);
  expect(endsSoon({ ...TARGET, until: "2026-11-23T13:00:00Z", state: "failed" }, NOW)).toBe(false);
});

test("only what passed, and holds for long enough, is good", () => {
  expect(gradeOfTarget(TARGET, NOW)).toBe("good");
  expect(gradeOfTarget({ ...TARGET, state: "failed" }, NOW)).toBe("crit");
  expect(["expired", "unproved"].map((state) => gradeOfTarget({ ...TARGET, state }, NOW))).toEqual(["warn", "warn"]);
});

test("targets stand by strategy, the primary first", () => {
  const primary = { ...TARGET, target: "main", primary: true };
  const other = { ...TARGET, strategy: "other" };
  const found = byStrategy([TARGET, other, primary]);
  expect(found.map(([name, some]) => [name, some.map((one) => one.target)])).toEqual([
    ["chat", ["main", "good"]],
    ["other", ["good"]],
  ]);
});

test("the ledger's number of a call is found from the id that clients are told", () => {
  expect(callOf("req_660e7295c5754")).toBe("1795395807893332");
  expect(callOf("")).toBeUndefined();
  expect(callOf("chatcmpl-x")).toBeUndefined();
});

test("answers are read whatever is missing in them; what was not judged is neither met nor missed", () => {
  const verdicts = [{ kind: "judge", met: null, weight: 2, why: "it is down" }, "strange"];
  const [one, empty] = judgedOf([{ prompt: "refund", fault: "429", streamed: true, call: "req_1", verdicts }, {}]);
  expect(one?.verdicts.map((verdict) => verdict.met)).toEqual([null, null]);
  expect(empty).toEqual({ prompt: "", fault: "", streamed: false, call: "", problem: "", verdicts: [] });
});

test("findings stand by level, the worst first; what costs the primary nothing has no ratio", () => {
  const finding = { strategy: "chat", target: "a", code: "key", text: "", drill: "", prompt: "" };
  const found = byLevel([
    { ...finding, level: "note" },
    { ...finding, level: "error" },
  ]);
  expect(found.map(([level]) => level)).toEqual(["error", "note"]);
  expect(timesOf(3, 2)).toBe(1.5);
  expect(timesOf(3, 0)).toBeUndefined();
});

test("a gate without drills says what to write", async () => {
  answers({ drills: [], errors: 0 });
  show(<Drills />);
  expect(await screen.findByText(/expires_days: 7/)).toBeTruthy();
});

test("each target says how it stands and why; the drill runs when it is asked for and confirmed", async () => {
  const asked = answers({ drills: [DRILL], errors: 2 });
  show(<Drills />);
  expect(await screen.findByText("refund: it lacks “7 days”")).toBeTruthy();
  expect(screen.getByText("left out")).toBeTruthy();
  expect(screen.getByText("2 things cannot work as they are configured")).toBeTruthy();
  const user = userEvent.setup();
  await user.click(screen.getByRole("button", { name: "Run now" }));
  await user.click(await within(await screen.findByRole("dialog")).findByRole("button", { name: "Run now" }));
  await waitFor(() => expect(asked).toContain("POST /admin/v1/drills/core/run"));
});
