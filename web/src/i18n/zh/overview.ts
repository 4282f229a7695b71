import type en from "../en/overview";
import type { Same } from "../words";

export default {
  title: "总览",
  lead: "各模型用了多少配额，此刻正在发生什么。",
} as const satisfies Same<typeof en>;
