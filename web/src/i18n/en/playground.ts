export default {
  title: "Playground",
  lead: "Send a prompt through the gate and watch what becomes of it.",
} as const;
