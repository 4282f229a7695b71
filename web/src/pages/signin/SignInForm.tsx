import { Button, Divider, PasswordInput, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { addressOf, askJson } from "~/api/client";
import type { SessionMethods, SessionView } from "~/api/contract";
import { ApiProblem } from "~/api/problem";
import { signedIn } from "~/api/session";
import { Problem } from "~/parts/Problem";
import { useSignInWords } from "./words";

/** By an admin token, or by the organisation's own sign-in where there is one. */
export function SignInForm() {
  const t = useSignInWords();
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const { data: methods } = useQuery({
    queryKey: ["session", "methods"],
    queryFn: ({ signal }) => askJson<SessionMethods>("get", "/session/methods", { signal }),
  });
  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      signedIn(await askJson<SessionView>("post", "/session", { body: { token: token.trim() } }));
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  const wrong = error instanceof ApiProblem && error.status === 401;
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        {methods?.oidc ? (
          <>
            <Button component="a" href={addressOf("/session/oidc/start")}>
              {t("oidc", { title: methods.oidc.title })}
            </Button>
            <Divider label={t("or")} />
          </>
        ) : null}
        <PasswordInput
          label={t("token")}
          description={t("token_hint")}
          value={token}
          onChange={(event) => setToken(event.target.value)}
          error={wrong ? t("wrong") : undefined}
          visibilityToggleButtonProps={{ "aria-label": t("reveal") }}
          autoComplete="current-password"
          data-autofocus
          autoFocus
          required
        />
        {wrong ? null : <Problem error={error} />}
        <Button type="submit" loading={busy} variant={methods?.oidc ? "default" : "filled"}>
          {t("submit")}
        </Button>
      </Stack>
    </form>
  );
}
