import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { formatOf } from "~/i18n/format";
import { say } from "~/i18n/words";
import en from "~/i18n/en/alerts";
import { ADMIN, show } from "~/test/render";
import Alerts from "./index";
import { matchOf, textOf } from "./match";
import { clearsAt, meaningOf, measured, type Rule } from "./measure";
import type { AlertWords } from "./words";

const ALERT = {
  id: "ae687c14",
  rule: "queue_wait_ms",
  metric: "queue_wait_ms",
  labels: { model: "gpt-4o", pool: "main" },
  stage: "firing",
  severity: "critical",
  value: 4613.5,
  unit: "ms",
  threshold: 500,
  since: "2026-11-23T01:03:46Z",
  silenced: false,
};
const RULE: Rule = {
  name: "queue_wait_ms",
  metric: "queue_wait_ms",
  unit: "ms",
  warning: 200,
  critical: 500,
  below: false,
  match: {},
  for_seconds: 30,
  clear_percent: 90,
  clear_seconds: 60,
  enabled: true,
};
const CHANNEL = { name: "ops", kind: "slack", language: "en", sent: 1, failed: 0, retried: 0, repeated: 0, waiting: 0 };
const format = formatOf("en");
const words: AlertWords = (key, values) => say("en", en[key], values);

function answers(found: (address: string, method: string) => unknown) {
  const asked: string[] = [];
  const fake = (address: string, init?: RequestInit) => {
    const method = init?.method ?? "GET";
    const body = typeof init?.body === "string" ? ` ${init.body}` : "";
    asked.push(`${method} ${address}${body}`);
    return Promise.resolve(new Response(JSON.stringify(found(address, method))));
  };
  vi.stubGlobal("fetch", fake);
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

test("a value has the unit of its metric, as people write it", () => {
  expect(measured(format, 80, "ms")).toBe("80 ms");
  expect(measured(format, 4613, "ms")).toBe("4.6 s");
  expect(measured(format, 300, "s")).toBe("5 min");
  expect(measured(format, 93.52, "%")).toBe("93.5%");
  expect(measured(format, 0.55, "%")).toBe("0.55%");
  expect(measured(format, 64 * 1024 * 1024, "bytes")).toBe("64 MiB");
  expect(measured(format, 0, "bytes")).toBe("0 B");
  expect(measured(format, 3, "")).toBe("3");
});

test("a rule's end is on the other side of its hysteresis, whichever side it fires on", () => {
  expect(clearsAt(RULE, 200)).toBe(180);
  expect(clearsAt({ below: true, clear_percent: 90 }, 900)).toBe(1000);
});

test("a rule says in words what it watches, when it fires and when it is over", () => {
  expect(meaningOf(words, format, RULE)).toBe(
    "Watches: Mean wait in the queue. Warning from 200 ms on, Critical from 500 ms on, after 30 s without a pause. " +
      "Over once it has been below 180 ms for 1 min",
  );
  const flag = { ...RULE, metric: "drill_failed", warning: null, critical: 1, for_seconds: 0, unit: "" };
  expect(meaningOf(words, format, flag)).toContain("Critical as soon as it is so");
  expect(meaningOf(words, format, { ...RULE, warning: null, critical: null })).toContain("never fires");
  expect(meaningOf(words, format, { ...RULE, match: { model: "gpt-*" } })).toContain("(only model gpt-*)");
});

test("a silence's labels are lines; what is no pair, or comes twice, is none", () => {
  const match = { rule: "limited_seconds", model: "a=b" };
  expect(matchOf(textOf(match))).toEqual(match);
  expect(matchOf("")).toBeUndefined();
  expect(matchOf("rule")).toBeUndefined();
  expect(matchOf("=x")).toBeUndefined();
  expect(matchOf("a=1\na=2")).toBeUndefined();
  expect(matchOf(Array.from({ length: 9 }, (_, n) => `l${n}=x`).join("\n"))).toBeUndefined();
});

test("an alert says its value beside its threshold, and is taken", async () => {
  const asked = answers((_, method) => (method === "POST" ? ALERT : [ALERT]));
  show(<Alerts />);
  expect(await screen.findByText("4.6 s")).toBeTruthy();
  expect(screen.getByText("(threshold 500 ms)")).toBeTruthy();
  await userEvent.setup().click(screen.getByRole("button", { name: "Take it" }));
  await waitFor(() => expect(asked).toContain("POST /admin/v1/alerts/ae687c14/ack"));
});

test("a silence made from an alert has its rule and labels, and an hour", async () => {
  const asked = answers((_, method) => (method === "POST" ? {} : [ALERT]));
  show(<Alerts />);
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Silence" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(await within(dialog).findByRole("button", { name: "Silence" }));
  const match = '{"rule":"queue_wait_ms","model":"gpt-4o","pool":"main"}';
  await waitFor(() =>
    expect(asked).toContain(`POST /admin/v1/alerts/silences {"match":${match},"minutes":60,"why":""}`),
  );
});

test("a test says what the channel said", async () => {
  answers((_, method) => {
    return method === "POST" ? { channel: "ops", sent: false, problem: "hooks.slack.com: 404 no_service" } : [CHANNEL];
  });
  show(<Alerts />, { path: "/channels" });
  await userEvent.setup().click(await screen.findByRole("button", { name: "Send a test" }));
  expect(await screen.findByText(/404 no_service/)).toBeTruthy();
});

test("who may only look takes nothing", async () => {
  const asked = answers(() => [ALERT]);
  show(<Alerts />, { session: { ...ADMIN, role: "viewer", rights: ["self", "status"] } });
  await userEvent.setup().click(await screen.findByRole("button", { name: "Take it" }));
  expect(asked.filter((one) => one.startsWith("POST"))).toEqual([]);
});
