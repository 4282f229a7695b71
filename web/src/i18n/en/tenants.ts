export default {
  title: "Tenants",
  lead: "Namespaces with their users, keys, limits and spend.",
} as const;
