import type en from "../en/drills";
import type { Same } from "../words";

export default {
  title: "演练",
  lead: "每个备用模型确实可用的证明及其日期。",
} as const satisfies Same<typeof en>;
