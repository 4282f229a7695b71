import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useSessionState } from "~/api/session";
import { PARTS } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { SignIn, SignInAgain } from "~/pages/signin";
import { Shell } from "./Shell";

/** The sign-in page, or the shell; over it the way back in when a session has ended. */
export function Root() {
  const state = useSessionState();
  const t = useWords(PARTS);
  const queries = useQueryClient();
  const person = state.kind === "in" ? `${state.session.role} ${state.session.name}` : undefined;
  const ended = state.kind === "ended";
  const [over, setOver] = useState(ended); // once it was there it stays, and gives the focus back
  if (ended && !over) setOver(true);
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
      {over ? <SignInAgain opened={ended} /> : null}
    </>
  );
}
