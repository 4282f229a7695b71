import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "~/test/render";
import { ReportView } from "./ReportView";
import type { Figures, Report } from "./types";

const figures = (more: Partial<Figures>): Figures => ({
  calls: 2_000,
  answered: 1_500,
  hits: 0,
  refused: 500,
  refusals: { over_quota: 500 },
  failed: 0,
  queued: 1_200,
  wait_p95_ms: 0,
  paused: 0,
  degraded: 0,
  moved: 0,
  throttled: 0,
  attempts: 1_500,
  cost_nano: 0,
  ...more,
});

const REPORT: Report = {
  from_us: 1_790_000_000_000_000,
  to_us: 1_790_000_300_000_000,
  calls: 2_000,
  before: "current",
  groups: [
    {
      by: "all",
      name: "",
      before: figures({}),
      after: figures({ queued: 1_234, refused: 700 }),
      before_spread: {},
      after_spread: { queued: 20.6, refused: 1.4 },
      unsure: ["queued"],
    },
  ],
  findings: [],
  unmatched: [],
  notes: [
    "Played 5 times, with calls up to half a millisecond later: figures are means, and ± is how far one play lies from another (standard deviation). What really happens is one such draw.",
  ],
  recorded: figures({}),
  currency: "USD",
  plays: 5,
};

test("a mean has its spread, and a change within chance is neither better nor worse", () => {
  show(<ReportView report={REPORT} />);
  const row = (name: string) => within(screen.getByRole("rowheader", { name }).closest("tr") as HTMLElement);
  expect(row("Queued").getByText("1,234 ± 21")).toBeTruthy();
  expect(row("Queued").getByText("within chance")).toBeTruthy();
  expect(row("Queued").queryByText("worse")).toBeNull();
  expect(row("Refused by the gate").getByText("700 ± 1")).toBeTruthy();
  expect(row("Refused by the gate").getByText("worse")).toBeTruthy();
  expect(screen.getByText(/Decide nothing by it/)).toBeTruthy();
});

test("in Chinese, too", async () => {
  show(<ReportView report={REPORT} />, { lang: "zh-CN" });
  expect(await screen.findByText("属偶然")).toBeTruthy();
  expect(await screen.findByText(/重放了 5 次/)).toBeTruthy();
});
