import type en from "../en/alerts";
import type { Same } from "../words";

export default {
  title: "告警",
  lead: "出了什么问题、通知了谁、依据哪条规则。",
} as const satisfies Same<typeof en>;
