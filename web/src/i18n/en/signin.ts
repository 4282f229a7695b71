export default {
  title: "Sign in",
  lead: "The gate between your applications and all of their model APIs.",
  token: "Admin token",
  token_hint: "It begins with tga_. The first is made by tidegate admin token, on the machine of the gate.",
  reveal: "Show or hide the token",
  submit: "Sign in",
  oidc: "Sign in with {title}",
  or: "or",
  ended: "Your session has ended",
  ended_text: "The page stays as it is. Sign in, and go on where you were.",
  leave: "Leave the page",
  wrong: "This token is unknown, revoked or expired.",
} as const;
