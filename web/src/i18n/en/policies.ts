export default {
  title: "Policies",
  lead: "How calls are limited, retried, moved and kept.",
} as const;
