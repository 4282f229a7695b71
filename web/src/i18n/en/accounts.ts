export default {
  title: "Accounts",
  lead: "Provider accounts, their keys and how they stand.",
} as const;
