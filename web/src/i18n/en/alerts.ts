export default {
  title: "Alerts",
  lead: "What is wrong, who was told, and by which rule.",
} as const;
