import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ADMIN } from "~/test/render";
import { sessionState, signedIn } from "./session";
import { askWho } from "./who";

const answered = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
const methods = { token: true, oidc: null };

beforeEach(() => {
  vi.useFakeTimers();
  signedIn(ADMIN);
});
afterEach(() => {
  vi.useRealTimers();
});

test("one question tells who is there, or that nobody is", async () => {
  const fetched = vi.spyOn(globalThis, "fetch").mockResolvedValueOnce(answered(200, { ...methods, session: null }));
  askWho();
  await vi.waitFor(() => expect(sessionState()).toEqual({ kind: "none" }));
  fetched.mockResolvedValueOnce(answered(200, { ...methods, session: { ...ADMIN, name: "eve" } }));
  askWho();
  await vi.waitFor(() => expect(sessionState()).toMatchObject({ kind: "in", session: { name: "eve" } }));
  expect(fetched.mock.calls.map(([address]) => address)).toEqual(Array(2).fill("/admin/v1/session/methods"));
});

test("a gate that is not there yet is asked again", async () => {
  const fetched = vi
    .spyOn(globalThis, "fetch")
    .mockRejectedValueOnce(new TypeError("nobody listens"))
    .mockResolvedValueOnce(answered(503, {}))
    .mockResolvedValueOnce(answered(200, { ...methods, session: null }));
  askWho();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(fetched).toHaveBeenCalledTimes(3);
  expect(sessionState()).toEqual({ kind: "none" });
});
