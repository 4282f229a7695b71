/** A call's number, from that or from what `x-request-id` said (`req_` and hexadecimal digits); undefined: it is none. */
export function numberOf(text: string): string | undefined {
  const typed = text.trim();
  if (/^[0-9]{1,19}$/.test(typed)) return BigInt(typed).toString();
  const hex = /^req_([0-9a-f]{1,16})$/i.exec(typed)?.[1];
  return hex ? BigInt(`0x${hex}`).toString() : undefined;
}

/** As clients know it. */
export function requestOf(number: string): string {
  return /^[0-9]+$/.test(number) ? `req_${BigInt(number).toString(16)}` : number;
}
