/** What stands for a secret in the text that the gate gives out. */
export const MASK = /«secret:[0-9a-f]+»/g;

export const masksIn = (text: string) => text.match(MASK)?.length ?? 0;
