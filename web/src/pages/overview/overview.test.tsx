import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { Lang } from "~/i18n/lang";
import { formatOf } from "~/i18n/format";
import { NO_TRACK } from "~/api/track";
import { lane, state } from "~/test/live";
import { show } from "~/test/render";
import { minutes } from "./history";
import { Lanes } from "./Lanes";
import { Now } from "./Now";
import { Queues } from "./Queues";
import { gradeOfLane, gradeOfSentence, limitOf, matching, shareOf, worstFirst } from "./standing";

vi.mock("~/parts/Curve", () => ({
  Curve: ({ describe }: { describe: string }) => <div role="img" aria-label={describe} />,
}));

const SENTENCES: ReadonlyArray<[string, Record<string, string | number>, string, string]> = [
  ["no_worker", {}, "No worker is ready", "没有就绪的工作进程"],
  ["limited", { model: "gpt-4o", provider: "openai", minutes: 1 }, "limited for a minute", "已被限流 1 分钟"],
  ["limited", { model: "gpt-4o", provider: "openai", minutes: 7 }, "for 7 minutes", "7 分钟"],
  ["breaker_open", { model: "m", provider: "p", scope: "s" }, "m is closed at p/s", "p/s 的 m 已熔断"],
  ["queueing", { model: "m", waiting: 3, wait_ms: 1200 }, "3 calls wait for m; the slowest waited 1.2 s", "1.2 秒"],
  ["near_quota", { model: "m", percent: 93 }, "93% of its quota", "93%"],
  ["failing", { permille: 15 }, "1.5% of the calls fail", "1.5%"],
  ["well", { calls_per_second: 12.34, percent: 41 }, "12.3 calls a second", "12.3"],
  ["of_tomorrow", {}, "of_tomorrow", "of_tomorrow"],
];

test.each(SENTENCES)("%s is worded in both languages", (code, values, en, zh) => {
  for (const [lang, text] of [
    ["en", en],
    ["zh-CN", zh],
  ] as [Lang, string][]) {
    const { unmount, container } = show(<Now state={state({ sentence: { code, values } })} stale={false} />, { lang });
    expect(container.textContent).toContain(text);
    unmount();
  }
});

test("the mission's thresholds: utilisation 90 and 95 %, errors 0.5 and 1 %, waits 200 and 500 ms", () => {
  const used = (share: number) => lane({ tokens: { used: share * 1000, reserved: 0, limit: 1000, learned: null } });
  expect([0.89, 0.9, 0.95].map((one) => gradeOfLane(used(one)))).toEqual(["good", "warn", "crit"]);
  const sentence = (code: string, name: string, value: number) => gradeOfSentence({ code, values: { [name]: value } });
  expect([5, 10].map((one) => sentence("failing", "permille", one))).toEqual(["warn", "crit"]);
  expect([199, 200, 500].map((one) => sentence("queueing", "wait_ms", one))).toEqual(["good", "warn", "crit"]);
});

test("what the provider taught binds, and reserved counts as used", () => {
  const quota = { used: 20, reserved: 10, limit: 100, learned: 60 };
  expect(limitOf(quota)).toBe(60);
  expect(shareOf(quota)).toBe(0.5);
});

test("the worst come first: closed, then the fullest; every word of a filter has to match", () => {
  const full = lane({ model: "full", tokens: { used: 93, reserved: 0, limit: 100, learned: null } });
  const closed = lane({ model: "closed", closed_since: "2026-01-01T00:00:00Z" });
  const all = [lane({ model: "idle" }), full, closed];
  expect(worstFirst(all).map((one) => one.model)).toEqual(["closed", "full", "idle"]);
  expect(matching(all, "OPENAI ful").map((one) => one.model)).toEqual(["full"]);
});

test("of a thousand quotas only those in view are drawn, and a filter finds any", async () => {
  const lanes = Array.from({ length: 1000 }, (_, index) => lane({ model: `model-${index}` }));
  Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, value: 560 });
  Object.defineProperty(HTMLElement.prototype, "clientWidth", { configurable: true, value: 900 });
  const { container } = show(<Lanes state={state({ lanes })} track={NO_TRACK} chosen={undefined} onChoose={vi.fn()} />);
  expect(screen.getByText("1,000 quotas, worst first")).toBeTruthy();
  const drawn = container.querySelectorAll("li").length;
  expect(drawn).toBeGreaterThan(5);
  expect(drawn).toBeLessThan(30);
  await userEvent.type(screen.getByRole("searchbox"), "model-777");
  expect(screen.getByRole("button", { name: /model-777/ })).toBeTruthy();
});

test("a name that a tenant chose is text, whatever it holds", () => {
  const model = "<img src=x onerror=alert(1)>";
  const queues = [{ pool: "p", tier: "free", model, waiting: 2, wait_p50_ms: 10, wait_p99_ms: 700 }];
  const { container } = show(<Queues state={state({ queues })} />);
  expect(container.querySelector("img")).toBeNull();
  expect(screen.getByText(model)).toBeTruthy();
  expect(screen.getByText("Critical:")).toBeTruthy(); // not by colour alone
});

test("a day's minutes: those the ledger leaves out are noughts, and the limit stays until it changes", () => {
  const point = (at: number, charged_tokens: number, tpm: number) =>
    ({ at: new Date(at * 1000).toISOString(), charged_tokens, attempts: 1, tpm }) as Parameters<
      typeof minutes
    >[0][number];
  const { tokens } = minutes([point(60, 5, 100), point(180, 7, 200)], 0, 300);
  expect(tokens.times).toEqual([0, 60, 120, 180, 240]);
  expect(tokens.values).toEqual([0, 5, 0, 7, 0]);
  expect(tokens.limits).toEqual([100, 100, 100, 200, 200]);
});

test("durations, sums and shares read as the language writes them", () => {
  expect(formatOf("en").milliseconds(200_000)).toBe("3 min 20 s");
  expect(formatOf("zh-CN").milliseconds(80)).toBe("80 毫秒");
  expect(formatOf("en").money("0.0123", "USD")).toBe("$0.0123");
  expect(formatOf("en").percent(0.953)).toBe("95.3%");
});
