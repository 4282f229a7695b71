import type en from "../en/playground";
import type { Same } from "../words";

export default {
  title: "试用台",
  lead: "向网关发一个提示，看它如何被处理。",
} as const satisfies Same<typeof en>;
