import { useLive } from "~/api/live";

/** The gate's currency, as its live state tells it; "" until it has. */
export const useCurrency = (): string => useLive().state?.currency ?? "";
