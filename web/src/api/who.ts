/** Who is there? Asked until somebody answers: the page may be open before the gate is. */
import { askJson } from "./client";
import type { SessionMethods } from "./contract";
import { signedIn, signedOut } from "./session";

const AGAIN_MS = 2_000;

/** One question, which is never refused: a refusal would stand in the browser's console. */
export function askWho() {
  askJson<SessionMethods>("get", "/session/methods").then(
    ({ session }) => (session ? signedIn(session) : signedOut()),
    () => setTimeout(askWho, AGAIN_MS),
  );
}
