import type en from "../en/accounts";
import type { Same } from "../words";

export default {
  title: "账号",
  lead: "供应商账号、密钥及其状况。",
} as const satisfies Same<typeof en>;
