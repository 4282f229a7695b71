import type en from "../en/jobs";
import type { Same } from "../words";

export default {
  title: "任务",
  lead: "不急的工作：等待、运行、完成与放弃。",
} as const satisfies Same<typeof en>;
