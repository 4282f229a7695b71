import { Modal } from "@mantine/core";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { askJson } from "~/api/client";
import type { SessionMethods, SessionView } from "~/api/contract";
import { ApiProblem } from "~/api/problem";
import { signedIn, signedOut, useSessionState } from "~/api/session";
import { PARTS } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { SignIn, SignInAgain } from "~/pages/signin";
import { useSignInWords } from "~/pages/signin/words";
import { Shell } from "./Shell";

const AGAIN_MS = 2_000;

/** Undefined: nobody. Only a browser with a cookie is asked about, as a refusal would stand in its console. */
async function who(queries: QueryClient, signal: AbortSignal): Promise<SessionView | undefined> {
  const methods = await askJson<SessionMethods>("get", "/session/methods", { signal });
  queries.setQueryData(["session", "methods"], methods);
  return methods.cookie ? askJson<SessionView>("get", "/session", { signal }) : undefined;
}

/** Who is there? Asked until somebody answers: the page may be open before the gate is. */
function useFirstQuestion(kind: string, queries: QueryClient) {
  useEffect(() => {
    if (kind !== "unknown") return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const look = () => {
      who(queries, gone.signal).then(
        (session) => (session ? signedIn(session) : signedOut()),
        (error: unknown) => {
          if (gone.signal.aborted) return;
          if (error instanceof ApiProblem && error.status === 401) signedOut();
          else timer = setTimeout(look, AGAIN_MS);
        },
      );
    };
    look();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [kind, queries]);
}

/** The sign-in page, or the shell; over it the way back in when a session has ended. */
export function Root() {
  const state = useSessionState();
  const words = useSignInWords();
  const t = useWords(PARTS);
  const queries = useQueryClient();
  useFirstQuestion(state.kind, queries);
  const person = state.kind === "in" ? `${state.session.role} ${state.session.name}` : undefined;
  useEffect(() => {
    if (person) void queries.invalidateQueries(); // another person sees other things
  }, [person, queries]);
  if (state.kind === "unknown")
    return (
      <p className="tg-unseen" aria-busy="true">
        {t("retry")}
      </p>
    );
  if (state.kind === "none") return <SignIn />;
  return (
    <>
      <Shell />
      <Modal
        opened={state.kind === "ended"}
        onClose={() => undefined}
        withCloseButton={false}
        closeOnEscape={false}
        closeOnClickOutside={false}
        title={words("ended")}
        centered
      >
        <SignInAgain />
      </Modal>
    </>
  );
}
