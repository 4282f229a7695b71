export default {
  title: "Settings",
  lead: "Admin tokens, the audit log, and how the gate stands.",
} as const;
