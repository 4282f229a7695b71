import type en from "../en/settings";
import type { Same } from "../words";

export default {
  title: "设置",
  lead: "管理令牌、审计日志与网关状态。",
} as const satisfies Same<typeof en>;
