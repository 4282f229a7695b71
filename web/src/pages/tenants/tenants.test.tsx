import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { ApiProblem } from "~/api/problem";
import { show } from "~/test/render";
import type { Line, Namespace } from "./api";
import { byModelPatch, rowsOf } from "./byModel";
import { faultsOf } from "./FieldInput";
import { bodyOf, draftOf, KEY, NAMESPACE, named, patchOf } from "./fields";
import { found, ranked } from "./rows";
import { Secret } from "./Secret";
import { costsOf } from "./series";

const ACME: Namespace = {
  name: "acme",
  declared: "managed",
  tier: "vip",
  weight: 1,
  models: ["gpt-*"],
  limits: { rpm: 60, tpm: 1000 },
  budget: { per_day: "5" },
  by_model: {},
  timezone: "UTC",
  on_revoked: "finish",
  stored_objects: false,
};

afterEach(() => vi.unstubAllGlobals());

test("a new record says only what stands in its fields; what is no number is left to the gate", () => {
  const draft = { name: " acme ", models: "gpt-*\n\n <b>x</b> ", "limits.rpm": "60", "limits.tpm": "many", tier: " " };
  expect(bodyOf(named(NAMESPACE), draft)).toEqual({
    name: "acme",
    models: ["gpt-*", "<b>x</b>"],
    limits: { rpm: 60, tpm: "many" },
  });
});

test("a patch has what differs, and null for what was emptied", () => {
  const before = draftOf(NAMESPACE, ACME);
  expect(patchOf(NAMESPACE, before, before)).toEqual({});
  const after = { ...before, "limits.rpm": "", "limits.tpm": "2000", models: "" };
  expect(patchOf(NAMESPACE, before, after)).toEqual({ limits: { rpm: null, tpm: 2000 }, models: null });
});

test("what is kept of calls goes as a whole when all of it was emptied", () => {
  const before = draftOf(NAMESPACE, { ...ACME, bodies: { sample: 0.1, keep_days: 7 } });
  const after = { ...before, "bodies.sample": "", "bodies.keep_days": "" };
  expect(patchOf(NAMESPACE, before, after)).toEqual({ bodies: null });
});

test("a moment is shown in the reader's zone, sent with its offset, and kept to the second where nobody touched it", () => {
  const before = draftOf(KEY, { expires: "2099-01-01T10:00:30Z" });
  expect(patchOf(KEY, before, before)).toEqual({});
  const after = { ...before, expires: "2099-02-01T08:15" };
  expect(patchOf(KEY, before, after)).toEqual({ expires: new Date("2099-02-01T08:15").toISOString() });
});

test("of bounds of single models only those that changed are sent", () => {
  const before = rowsOf({ a: { limits: { rpm: 1, tpm: 2 } }, b: { budget: { per_day: "1" } }, c: {} });
  expect(byModelPatch(before, before)).toBeUndefined();
  const after = rowsOf({ a: { limits: { rpm: 3 } }, c: {}, d: { limits: { rpm: 4 } } });
  expect(byModelPatch(before, after)).toEqual({
    a: { limits: { tpm: null, rpm: 3 }, budget: {} },
    b: null,
    d: { limits: { rpm: 4 } },
  });
});

test("a fault stands at its field, that of a list's entry at the list", () => {
  const fault = (field: string) => ({ field, problem: "p", remedy: "r" });
  const error = new ApiProblem(422, "", [fault("body.limits.rpm"), fault("models.1"), fault("models_x")]);
  expect(faultsOf(error, "limits.rpm")).toHaveLength(1);
  expect(faultsOf(error, "models").map((one) => one.field)).toEqual(["models.1"]);
});

test("who spent most today comes first, then by name; search needs every word", () => {
  const other = (name: string) => ({ ...ACME, name });
  const line = { namespace: "c", cost: "0.5", calls: 2 } as Line;
  const rows = ranked([other("b"), other("a"), other("c")], [line]);
  expect(rows.map((one) => one.of.name)).toEqual(["c", "a", "b"]);
  expect(found(rows, "VIP c").map((one) => one.of.name)).toEqual(["c"]);
});

test("an hour in which nothing was called cost nothing", () => {
  const at = (hour: number) => new Date(Date.UTC(2026, 10, 22, hour));
  const lines = [{ hour: "2026-11-22T02:00+0000", cost: "1.5" }];
  const { times, values } = costsOf(lines, "hour", at(1), at(3), "UTC");
  expect(times).toHaveLength(3);
  expect(values).toEqual([0, 1.5, 0]);
});

test("days are those of the namespace's zone", () => {
  const lines = [{ day: "2026-11-23", cost: "2" }];
  const since = new Date("2026-11-21T20:00:00Z"); // the 22nd in Shanghai
  const { values } = costsOf(lines, "day", since, new Date("2026-11-22T20:00:00Z"), "Asia/Shanghai");
  expect(values).toEqual([0, 2]);
});

test("a new key's window closes only for who says that it is kept", async () => {
  const closed = vi.fn();
  show(<Secret name="acme-app" value="tgk_secret" onClose={closed} />);
  const user = userEvent.setup();
  expect((await screen.findByRole<HTMLInputElement>("textbox")).value).toBe("tgk_secret");
  await user.keyboard("{Escape}");
  expect(closed).not.toHaveBeenCalled();
  await user.click(screen.getByRole("button", { name: "I have kept it" }));
  expect(closed).toHaveBeenCalledOnce();
}, 20_000);
