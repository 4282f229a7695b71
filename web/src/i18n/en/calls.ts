export default {
  title: "Calls",
  lead: "Every call, with the chain of what befell it.",
} as const;
