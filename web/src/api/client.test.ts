import { beforeEach, expect, test, vi } from "vitest";
import { ADMIN } from "~/test/render";
import { addressOf, ask, askJson, askThrough } from "./client";
import { ApiProblem } from "./problem";
import { sessionState, signedIn } from "./session";

const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
const faults = [{ field: "limits.rpm", problem: "is not positive", remedy: "write 1 or more" }];

beforeEach(() => signedIn(ADMIN));

test("path parameters are encoded, and empty query parameters are left out", () => {
  const address = addressOf("/keys/{key}", {
    path: { key: "a/b?c" },
    query: { model: ["x", "y"], user: undefined, q: "" },
  });
  expect(address).toBe("/admin/v1/keys/a%2Fb%3Fc?model=x&model=y");
});

test("a change carries the session's CSRF token, a question does not", async () => {
  const fetched = vi.fn((..._: Parameters<typeof fetch>) => Promise.resolve(json(200, {})));
  vi.stubGlobal("fetch", fetched);
  await ask("post", "/tokens", { body: { name: "x" } });
  await ask("get", "/tokens");
  const headers = fetched.mock.calls.map(([, init]) => init?.headers as Record<string, string>);
  expect(headers[0]?.["x-tidegate-csrf"]).toBe(ADMIN.csrf);
  expect(headers[1]).not.toHaveProperty("x-tidegate-csrf");
});

test("a refusal is an ApiProblem whose faults a form finds by their field", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(json(422, { title: "Unprocessable", errors: faults })));
  const problem = await askJson("get", "/x").catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(ApiProblem);
  expect((problem as ApiProblem).fault("limits.rpm")?.remedy).toBe("write 1 or more");
});

test("nobody answers: the problem says that it is unreachable", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
  const problem = await askJson("get", "/x").catch((error: unknown) => error);
  expect((problem as ApiProblem).unreachable).toBe(true);
});

test("a change that meets the end of its session waits, and goes on for the same person with the new token", async () => {
  const answers = [json(401, {}), json(200, { done: true })];
  const fetched = vi.fn((..._: Parameters<typeof fetch>) => Promise.resolve(answers.shift() ?? json(500, {})));
  vi.stubGlobal("fetch", fetched);
  const change = askJson<{ done: boolean }>("post", "/x", { body: {} });
  await vi.waitFor(() => expect(sessionState().kind).toBe("ended"));
  signedIn({ ...ADMIN, csrf: "newer" });
  expect(await change).toEqual({ done: true });
  expect((fetched.mock.calls[1]?.[1]?.headers as Record<string, string>)["x-tidegate-csrf"]).toBe("newer");
});

test("a change is never sent again for another person", async () => {
  const fetched = vi.fn(() => Promise.resolve(json(401, { title: "Unauthorized" })));
  vi.stubGlobal("fetch", fetched);
  const change = askJson("post", "/x", { body: {} }).catch((error: unknown) => error);
  await vi.waitFor(() => expect(sessionState().kind).toBe("ended"));
  signedIn({ ...ADMIN, name: "eve" });
  expect(await change).toBeInstanceOf(ApiProblem);
  expect(fetched).toHaveBeenCalledTimes(1);
});

test("a refusal that is passed on is an answer, also a 401; one of the admin API is a problem", async () => {
  const answers = [
    json(401, { error: { message: "wrong key" } }),
    new Response(JSON.stringify({ title: "Too many", errors: faults }), {
      status: 429,
      headers: { "content-type": "application/problem+json" },
    }),
  ];
  vi.stubGlobal("fetch", () => Promise.resolve(answers.shift()));
  expect((await askThrough("post", "/playground", { body: {} })).status).toBe(401);
  expect(sessionState().kind).toBe("in");
  const problem = await askThrough("post", "/playground", { body: {} }).catch((error: unknown) => error);
  expect((problem as ApiProblem).status).toBe(429);
});
