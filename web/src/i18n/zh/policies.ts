import type en from "../en/policies";
import type { Same } from "../words";

export default {
  title: "策略",
  lead: "调用如何限流、重试、转移与缓存。",
} as const satisfies Same<typeof en>;
