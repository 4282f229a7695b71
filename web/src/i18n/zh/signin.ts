import type en from "../en/signin";
import type { Same } from "../words";

export default {
  title: "登录",
  lead: "应用与所有模型接口之间的闸门。",
  token: "管理令牌",
  token_hint: "以 tga_ 开头。第一个在网关所在机器上用 tidegate admin token 生成。",
  reveal: "显示或隐藏令牌",
  submit: "登录",
  oidc: "用 {title} 登录",
  or: "或",
  ended: "会话已结束",
  ended_text: "页面保持原样。重新登录后即可继续。",
  leave: "离开此页",
  wrong: "令牌不存在、已吊销或已过期。",
} as const satisfies Same<typeof en>;
