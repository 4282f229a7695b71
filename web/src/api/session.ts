/** Who is signed in, outside of React: the client needs the CSRF token, and tells of a session that has ended. */
import { useSyncExternalStore } from "react";
import type { SessionView } from "./contract";

export type SessionState =
  | { kind: "unknown" } // nobody has asked yet
  | { kind: "none" } // the sign-in page
  | { kind: "in"; session: SessionView }
  | { kind: "ended"; session: SessionView }; // the overlay, over the page with what was typed

let state: SessionState = { kind: "unknown" };
const listeners = new Set<() => void>();

export function sessionState(): SessionState {
  return state;
}

function become(next: SessionState) {
  state = next;
  for (const tell of listeners) tell();
}

export function watchSession(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

export function signedIn(session: SessionView) {
  become({ kind: "in", session });
}

export function signedOut() {
  become({ kind: "none" });
}

/** A request met 401: the page stays, and somebody signs in over it. */
export function sessionEnded() {
  if (state.kind === "in") become({ kind: "ended", session: state.session });
  else if (state.kind === "unknown") become({ kind: "none" });
}

/** Resolves when somebody is signed in again: true if it is the same person. */
export function signedInAgain(signal?: AbortSignal | null): Promise<boolean> {
  const before = state.kind === "ended" ? state.session : undefined;
  return new Promise((resolve, reject) => {
    const settle = () => {
      if (state.kind === "ended" || state.kind === "unknown") return;
      stop();
      resolve(state.kind === "in" && state.session.name === before?.name && state.session.role === before.role);
    };
    const abort = () => {
      stop();
      reject(new DOMException("the page no longer wants it", "AbortError"));
    };
    const unwatch = watchSession(settle);
    const stop = () => {
      unwatch();
      signal?.removeEventListener("abort", abort);
    };
    signal?.addEventListener("abort", abort);
  });
}

export function useSessionState(): SessionState {
  return useSyncExternalStore(watchSession, sessionState);
}

/** The session of a page that is shown: there always is one, the ended one while somebody signs in anew. */
export function useSession(): SessionView {
  const now = useSessionState();
  if (now.kind !== "in" && now.kind !== "ended") throw new Error("a page is shown to nobody");
  return now.session;
}
