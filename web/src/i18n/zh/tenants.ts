import type en from "../en/tenants";
import type { Same } from "../words";

export default {
  title: "租户",
  lead: "命名空间及其用户、密钥、限额与花费。",
} as const satisfies Same<typeof en>;
