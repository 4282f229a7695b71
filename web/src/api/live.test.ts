import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { state } from "~/test/live";
import { begin, useLive } from "./live";

const RECENT = {
  step_s: 1,
  points: {
    at: ["2025-12-31T23:59:58Z", "2025-12-31T23:59:59Z"],
    lanes: {},
    totals: { calls_per_second: [1, 2], error_permille: [0, 0], in_flight: [0, 0], waiting: [0, 0] },
    hidden: 0,
  },
};

class Stream extends EventTarget {
  static opened: Stream[] = [];
  closed = false;
  constructor(readonly address: string) {
    super();
    Stream.opened.push(this);
  }
  close() {
    this.closed = true;
  }
  tell() {
    this.dispatchEvent(new MessageEvent("state", { data: JSON.stringify(state()) }));
  }
}

/** The answer to what was before; called: it arrives. */
let arrive: () => Promise<void>;

beforeEach(() => {
  vi.useFakeTimers();
  Stream.opened = [];
  vi.stubGlobal("EventSource", Stream);
  let give: (response: Response) => void = () => undefined;
  vi.spyOn(globalThis, "fetch").mockReturnValue(new Promise((resolve) => (give = resolve)));
  arrive = async () => {
    give(new Response(JSON.stringify(RECENT), { headers: { "content-type": "application/json" } }));
    await vi.advanceTimersByTimeAsync(0);
  };
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("what was before is asked beside the stream, and shown with its first second", async () => {
  begin();
  const [stream] = Stream.opened;
  expect(stream?.address).toBe("/admin/v1/live");
  await arrive();
  stream?.tell();
  const { result, unmount } = renderHook(useLive);
  expect(result.current.status).toBe("live");
  expect(result.current.track.totals.calls_per_second).toEqual([1, 2, 2.5]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(Stream.opened).toHaveLength(1); // who looks takes over what was begun
  unmount();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(stream?.closed).toBe(true);
});

test("where it comes later it is put before what was seen meanwhile", async () => {
  const { result, unmount } = renderHook(useLive);
  act(() => Stream.opened[0]?.tell());
  expect(result.current.track.at).toHaveLength(1);
  await act(arrive);
  expect(result.current.track.totals.calls_per_second).toEqual([1, 2, 2.5]);
  unmount();
});

test("a stream that was begun for a page that never came is closed", async () => {
  begin();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(Stream.opened[0]?.closed).toBe(true);
});
