export default {
  title: "Overview",
  lead: "What each model uses of its quota, and what is happening now.",
} as const;
