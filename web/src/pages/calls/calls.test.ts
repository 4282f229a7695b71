import { expect, test } from "vitest";
import { formatOf } from "~/i18n/format";
import { say } from "~/i18n/words";
import { type Teller, candidatesOf, explain, lanesOf, measuredOf } from "./chain/explain";
import { kindOf, stepOf, waterfallOf } from "./chain/waterfall";
import { numberOf, requestOf } from "./ids";
import { withNews } from "./list/rows";
import { boundsOf, filtersOf, periodOf, presetOf, unfit, withPreset } from "./list/wanted";
import type { Call, Stage } from "./types";
import { CALL_WORDS } from "./words";

const stage = (change: Partial<Stage>): Stage => ({
  stage: "end",
  at_us: 0,
  lasted_us: 0,
  target: "",
  why: "",
  says: "",
  figures: {},
  headers: [],
  lanes: [],
  ...change,
});
const teller = (lang: "en" | "zh-CN"): Teller => ({
  t: (key, values) => say(lang, lang === "en" ? CALL_WORDS.en[key] : CALL_WORDS.zh[key], values),
  format: formatOf(lang),
  reasons: (words) => words,
  told: (said) => said,
});
const rows = (...ids: string[]) => ids.map((id) => ({ id }) as Call);

test("the address says which calls; what is unknown, empty or half typed is no filter", () => {
  const params = new URLSearchParams(
    "namespace= acme &errors=true&slower_ms=500&waited_ms=x&trace=12&other=1&status=5xx",
  );
  expect(filtersOf(params)).toEqual({ namespace: "acme", errors: true, slower_ms: 500, status: "5xx" });
  expect(unfit(params)).toEqual(["trace"]);
  expect(filtersOf(new URLSearchParams("cache=hit"))).toEqual({ cache: "hit" });
  expect(unfit(new URLSearchParams("cache=magic"))).toEqual(["cache"]);
});

test("a preset asks its question and leaves whose calls they are", () => {
  const next = withPreset(new URLSearchParams("namespace=acme&errors=true"), "waited");
  expect(next.toString()).toBe("namespace=acme&waited_ms=1000");
  expect(presetOf(next)).toBe("waited");
  expect(presetOf(new URLSearchParams("slower_ms=3"))).toBeUndefined();
});

test("a period begins so long ago; a trace alone is looked for whenever it was", () => {
  const now = new Date("2026-01-02T00:00:00Z");
  expect(boundsOf(new URLSearchParams(), now)).toEqual({ since: "2026-01-01T00:00:00.000Z" });
  expect(boundsOf(new URLSearchParams("trace=x"), now)).toEqual({});
  const own = new URLSearchParams("since=2026-01-01T00:00:00Z&until=nonsense");
  expect(periodOf(own)).toBe("own");
  expect(boundsOf(own, now)).toEqual({ since: "2026-01-01T00:00:00.000Z" });
});

test("a tail shows the newest first, none twice, and never more than it may", () => {
  expect(withNews(rows("2", "1"), rows("2", "3", "4")).map((one) => one.id)).toEqual(["4", "3", "2", "1"]);
  expect(withNews(rows("2", "1"), rows("3"), 2).map((one) => one.id)).toEqual(["3", "2"]);
});

test("a call is found by its number or by its request id, beyond what a double can hold", () => {
  expect(numberOf("req_660e7217acf93")).toBe(BigInt("0x660e7217acf93").toString());
  expect(requestOf("4611686018427387904")).toBe("req_4000000000000000");
  expect(numberOf(" 12 ")).toBe("12");
  expect(numberOf("req_xyz")).toBeUndefined();
});

test("stages stand on one axis: bars where they lasted, marks where something was decided", () => {
  const found = waterfallOf([
    stage({ stage: "queued", lasted_us: 500_000 }),
    stage({ stage: "attempt", at_us: 500_000, lasted_us: 500_000, figures: { status: 200 } }),
    stage({ stage: "end", at_us: 1_000_000 }),
  ]);
  expect(found.bars.map((one) => [one.kind, one.left, one.width])).toEqual([
    ["wait", 0, 50],
    ["served", 50, 50],
    ["moment", 100, 0],
  ]);
  expect(found.ticks.map((one) => one.us)).toEqual([0, 200_000, 400_000, 600_000, 800_000, 1_000_000]);
  expect(stepOf(7)).toBe(2);
  expect(waterfallOf([]).bars).toEqual([]);
});

test("an attempt without a good status has failed, also one that never left", () => {
  expect(kindOf(stage({ stage: "attempt", figures: { status: 429 } }))).toBe("failed");
  expect(kindOf(stage({ stage: "attempt", figures: { error: "refused" } }))).toBe("failed");
});

test("stages are explained in both languages from their figures", () => {
  const queued = stage({
    stage: "queued",
    why: "turn",
    figures: { pool: "main", ahead: 4, waiting: 9, predicted_us: 1_500_000 },
  });
  expect(explain(teller("en"), queued)).toBe(
    "waited for its turn at pool main; 4 before it, 9 waiting; 1.5 s foretold",
  );
  expect(explain(teller("zh-CN"), queued)).toBe("在池 main 等待轮到自己; 前面 4 个，共 9 个在等; 预计 1.5 秒");
  expect(explain(teller("en"), stage({ stage: "strange", says: "as the gate says it" }))).toBe("as the gate says it");
});

test("an answer of the cache is told with whose it was, and what that saved", () => {
  const figures = { layer: "semantic", source: "req_ff", age_us: 9_000_000, similarity_permille: 953 };
  const saved = { saved_prompt_tokens: 60, saved_completion_tokens: 40 };
  const gave = stage({ stage: "cached", why: "semantic", figures: { ...figures, ...saved } });
  expect(explain(teller("en"), gave)).toBe(
    "the cache answered (what was asked before means the same, 0.953) with the answer of req_ff, 9 s old; saved 60 tokens in, 40 out",
  );
  const paid = stage({
    stage: "cached",
    figures: { layer: "exact", source: "req_1", age_us: 500, ...saved, charged: 1 },
  });
  expect(explain(teller("zh-CN"), paid)).toBe(
    "由缓存应答（此前问过同样的内容），使用 req_1 的答案，已存 500 µs; 省下输入 60、输出 40 词元; 租户仍按实际生成付费",
  );
  expect(explain(teller("en"), stage({ stage: "cached", why: "miss" }))).toBe("the cache: miss");
  expect(explain(teller("en"), stage({ stage: "read", figures: {} }))).toBe("read, known and let in");
});

test("an attempt is measured by what was reserved for it and what its provider counted", () => {
  const figures = { status: 200, reserved_tokens: 900, charged_tokens: 120 };
  const tried = stage({ stage: "attempt", figures });
  expect(measuredOf(teller("en"), tried)).toEqual(["900 tokens reserved", "120 tokens taken from the quota"]);
  expect(measuredOf(teller("zh-CN"), tried)).toEqual(["预留 900 词元", "占用配额 120 词元"]);
});

test("candidates are told with the waits that they would have meant", () => {
  const chosen = stage({ stage: "chosen", figures: { "a/x": 0, "b/y": "2000000 full", "c/z": "never", dropped: 2 } });
  expect(candidatesOf(teller("en"), chosen)).toEqual([
    { name: "a/x", wait: "at once" },
    { name: "b/y", wait: "in 2 s (full)" },
    { name: "c/z", wait: "never: it is too large" },
  ]);
});

test("accounts are told with how they stood, in both languages, by what their pool compares", () => {
  const none = { wait_us: 0, requests: 0, request_limit: 0, tokens: 0, token_limit: 0, outputs: 0, output_limit: 0 };
  const picked = stage({
    stage: "picked",
    why: "headroom",
    target: "openai/z/a",
    figures: { pool: "main", lanes: 3 },
    lanes: [
      {
        ...none,
        ...{ scope: "x", state: "cooling", wait_us: 12_000_000, requests: 2, request_limit: 60, calls: 3, score: 29 },
        says: "",
      },
      { ...none, scope: "y", state: "a later word", tokens: -5, token_limit: 60_000, calls: 0, score: 0, says: "" },
      { ...none, scope: "z", state: "taken", outputs: 1, output_limit: 8, calls: 1, score: 983, says: "" },
    ],
  });
  expect(explain(teller("en"), picked)).toBe("openai/z/a, of the 3 accounts of pool main, by headroom");
  expect(explain(teller("en"), { ...picked, target: "" })).toBe("none of the 3 accounts of pool main could serve");
  expect(lanesOf(teller("en"), picked).map((one) => [one.name, one.stood, one.taken])).toEqual([
    [
      "x",
      "cooling down after a refusal, for 12 s · 2 of 60 requests left · 3 calls in flight · 2.9% of its scarcest limit left after the call",
      false,
    ],
    ["y", "a later word · -5 of 60,000 tokens left · 0% of its scarcest limit left after the call", false],
    [
      "z",
      "taken · 1 of 8 output tokens left · 1 call in flight · 98.3% of its scarcest limit left after the call",
      true,
    ],
  ]);
  const scores = ["least_loaded", "weighted", "affinity", "a later one"].map(
    (why) => lanesOf(teller("zh-CN"), { ...picked, why })[2]?.stood,
  );
  expect(scores).toEqual([
    "已选用 · 输出词元剩 1 / 8 · 进行中的调用 1 个 · 负载相当于限额的 983 毫秒",
    "已选用 · 输出词元剩 1 / 8 · 进行中的调用 1 个 · 权重 0.983",
    "已选用 · 输出词元剩 1 / 8 · 进行中的调用 1 个 · 可承担调用数的 98.3%",
    "已选用 · 输出词元剩 1 / 8 · 进行中的调用 1 个",
  ]);
});
