import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type RenderResult, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { MemoryRouter } from "react-router";
import type { Right, SessionView } from "~/api/contract";
import { signedIn } from "~/api/session";
import { type Lang, LangProvider } from "~/i18n/lang";
import { theme } from "~/theme/theme";

const ALL: Right[] = [
  "self",
  "status",
  "see_namespaces",
  "change_namespaces",
  "see_accounts",
  "change_accounts",
  "see_spend",
  "see_bodies",
  "purge",
  "judge",
  "change_jobs",
  "run_drills",
  "change_alerts",
  "see_policy",
  "change_policy",
  "drain_accounts",
  "play",
  "audit",
  "tokens",
];

export const ADMIN: SessionView = {
  name: "ada",
  role: "admin",
  rights: ALL,
  csrf: "csrf-of-ada",
  expires: "2099-01-01T00:00:00Z",
  version: "0",
};

interface Options {
  lang?: Lang;
  session?: SessionView;
  path?: string;
}

/** Renders as the app does: with theme, language, router and queries, signed in. */
export function show(what: ReactNode, { lang = "en", session = ADMIN, path = "/" }: Options = {}): RenderResult {
  localStorage.setItem("tidegate.lang", lang);
  signedIn(session);
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <LangProvider>
      <MantineProvider theme={theme} env="test">
        <QueryClientProvider client={queries}>
          <MemoryRouter initialEntries={[path]}>{what}</MemoryRouter>
        </QueryClientProvider>
      </MantineProvider>
    </LangProvider>,
  );
}
