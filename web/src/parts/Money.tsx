import { useFormat } from "~/i18n/format";

/** A sum as the API tells it, a decimal string; the title has every digit. */
export function Money({ amount, currency }: { amount: string | number; currency: string }) {
  return <span title={`${amount} ${currency}`}>{useFormat().money(amount, currency)}</span>;
}
