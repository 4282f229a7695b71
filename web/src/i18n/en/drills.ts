export default {
  title: "Drills",
  lead: "Proof that each fallback answers, with its date.",
} as const;
