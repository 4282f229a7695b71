import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useTail } from "./useTail";

class Stream extends EventTarget {
  static opened: Stream[] = [];
  closed = false;
  constructor(readonly address: string) {
    super();
    Stream.opened.push(this);
  }
  static get last() {
    return Stream.opened.at(-1);
  }
  close() {
    this.closed = true;
  }
  tell(next: string, ...ids: string[]) {
    this.dispatchEvent(new MessageEvent("calls", { data: JSON.stringify(page(next, ...ids)) }));
  }
}

const page = (next: string, ...ids: string[]) => ({ calls: ids.map((id) => ({ id })), next, missed: false });
const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
let asked: string[];
let answer: () => Response;

beforeEach(() => {
  vi.useFakeTimers();
  Stream.opened = [];
  asked = [];
  answer = () => json(page("9", "9"));
  vi.stubGlobal("EventSource", Stream);
  vi.stubGlobal("fetch", (address: string) => {
    asked.push(address);
    return Promise.resolve(answer());
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const shown = (paused = false) =>
  renderHook(({ paused }) => useTail({ namespace: "acme" }, paused), { initialProps: { paused } });
const ids = (of: { current: { rows: { id: string }[] } }) => of.current.rows.map((one) => one.id);

test("calls come by a stream, and nobody asks for them", async () => {
  const { result, unmount } = shown();
  expect(Stream.last?.address).toBe("/admin/v1/calls/stream?namespace=acme&limit=200");
  act(() => Stream.last?.tell("1", "a", "b"));
  act(() => Stream.last?.tell("2", "c"));
  expect(ids(result)).toEqual(["c", "b", "a"]);
  await act(() => vi.advanceTimersByTimeAsync(14_000));
  expect(asked).toEqual([]);
  unmount();
  expect(Stream.last?.closed).toBe(true);
});

test("a stream that breaks is asked for by question and answer, and opened again where it ended", async () => {
  const { result, unmount } = shown();
  act(() => Stream.last?.tell("1", "a"));
  await act(async () => {
    Stream.last?.dispatchEvent(new Event("error"));
    await vi.advanceTimersByTimeAsync(0);
  });
  expect(asked).toEqual(["/admin/v1/calls/tail?namespace=acme&limit=200&after=1"]);
  expect(ids(result)).toEqual(["9", "a"]);
  await act(() => vi.advanceTimersByTimeAsync(500));
  expect(Stream.opened).toHaveLength(2);
  expect(Stream.last?.address).toContain("after=9");
  unmount();
});

test("a peer that says nothing for long is given up", async () => {
  const { unmount } = shown();
  await act(() => vi.advanceTimersByTimeAsync(15_000));
  expect(Stream.opened[0]?.closed).toBe(true);
  expect(asked).toHaveLength(1);
  unmount();
});

test("why there is nothing is shown, until there is", async () => {
  answer = () => json({ title: "Unavailable", status: 503, errors: [] }, 503);
  const { result, unmount } = shown();
  await act(async () => {
    Stream.last?.dispatchEvent(new Event("error"));
    await vi.advanceTimersByTimeAsync(0);
  });
  expect(result.current.error).toMatchObject({ status: 503 });
  await act(() => vi.advanceTimersByTimeAsync(500));
  act(() => Stream.last?.tell("1"));
  expect(result.current).toMatchObject({ error: undefined, begun: true });
  unmount();
});

test("a pause closes the stream and keeps the place", () => {
  const { result, rerender, unmount } = shown();
  act(() => Stream.last?.tell("1", "a"));
  rerender({ paused: true });
  expect(Stream.last?.closed).toBe(true);
  rerender({ paused: false });
  expect(Stream.last?.address).toContain("after=1");
  expect(ids(result)).toEqual(["a"]);
  unmount();
});
