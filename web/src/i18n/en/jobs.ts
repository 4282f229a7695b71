export default {
  title: "Jobs",
  lead: "Patient work: what waits, runs, is done or given up.",
} as const;
