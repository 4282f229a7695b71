import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { show } from "~/test/render";
import Playground from "./index";
import { type Known, stepsOf, toldOf } from "./live";

const CALL = "7";
const HEAD = {
  "content-type": "text/event-stream",
  "x-tidegate-call": CALL,
  "x-tidegate-wait-ms": "12",
  "x-tidegate-target": "openai/gpt-4o",
  "x-tidegate-attempts": "azure/gpt-4o 500 server_error, openai/gpt-4o 200",
};
const KNOWN: Known = {
  state: "waiting",
  status: 0,
  told: undefined,
  headMs: undefined,
  firstMs: undefined,
  events: 0,
  sinceMs: 400,
  tookMs: undefined,
};
const keys = (known: Known) => stepsOf(known).map(({ key }) => key);

afterEach(() => vi.unstubAllGlobals());

test("the head of an answer tells who waited, who failed and who answers", () => {
  expect(toldOf(new Headers(HEAD))).toEqual({
    waitedMs: 12,
    target: "openai/gpt-4o",
    failed: [{ target: "azure/gpt-4o", how: "500 server_error" }],
    kept: "",
  });
  expect(toldOf(new Headers({ "x-tidegate-cache": "exact" })).kept).toBe("exact");
  expect(toldOf(new Headers({ "x-tidegate-cache": "miss" })).kept).toBe("");
});

test("each stage stands below the one before it, as soon as it is known", () => {
  const answering: Known = { ...KNOWN, state: "answering", status: 200, told: toldOf(new Headers(HEAD)), headMs: 500 };
  expect(keys({ ...KNOWN, state: "idle" })).toEqual([]);
  expect(keys(KNOWN)).toEqual(["sent", "waiting"]);
  expect(keys(answering)).toEqual(["sent", "waited", "tried 0", "head"]);
  const ended: Known = { ...answering, state: "ended", firstMs: 510, events: 3, tookMs: 900 };
  expect(keys(ended)).toEqual(["sent", "waited", "tried 0", "head", "first", "events", "end"]);
  expect(stepsOf({ ...KNOWN, state: "stopped", tookMs: 450 }).at(-1)).toMatchObject({ atMs: 450, kind: "failed" });
});

test("a refusal is told as one, and an answer of the cache as its own", () => {
  const refused = { ...KNOWN, state: "ended", status: 429, told: toldOf(new Headers()) } as const;
  expect(stepsOf(refused)[1]).toMatchObject({ word: "live_status", values: { status: 429 }, kind: "failed" });
  const kept = { ...refused, status: 200, told: toldOf(new Headers({ "x-tidegate-cache": "hit" })) };
  expect(stepsOf(kept)[1]).toMatchObject({ word: "live_kept", values: { kept: "hit" }, kind: "done" });
});

test("the page shows the chain while the answer comes, and the whole one after it", async () => {
  let stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({ start: (controller) => void (stream = controller) });
  const asked: string[] = [];
  vi.stubGlobal("fetch", (address: string) => {
    asked.push(address);
    if (address.endsWith("/playground")) return Promise.resolve(new Response(body, { headers: HEAD }));
    if (address.includes("/calls/")) return new Promise<Response>(() => undefined); // the ledger does not know it yet
    return Promise.resolve(new Response(JSON.stringify(address.includes("namespaces") ? [] : { workers: [] })));
  });
  show(<Playground />);
  await userEvent.type(screen.getByRole("combobox", { name: /Strategy or model/ }), "gpt-4o");
  await userEvent.type(screen.getByRole("textbox", { name: /Message/ }), "Hi");
  await userEvent.click(screen.getByRole("button", { name: "Send" }));
  const live = within(await screen.findByRole("region", { name: "Its chain, as it comes" }));
  expect(await live.findByText("openai/gpt-4o answers")).toBeTruthy();
  expect(live.getByText("azure/gpt-4o did not answer: 500 server_error")).toBeTruthy();
  stream?.enqueue(new TextEncoder().encode('data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n'));
  expect(await live.findByText("1 event of the stream")).toBeTruthy();
  expect(live.queryByText("Ended")).toBeNull();
  expect(asked.some((one) => one.endsWith(`/calls/${CALL}`))).toBe(false);
  stream?.close();
  await waitFor(() => expect(screen.getAllByText("Ended")).toHaveLength(2)); // beside the answer, and as a stage
  expect(asked.some((one) => one.endsWith(`/calls/${CALL}`))).toBe(true);
});
