import { MantineProvider } from "@mantine/core";
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "~/theme/base.css";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "react-router/dom";
import { LangProvider } from "~/i18n/lang";
import { theme } from "~/theme/theme";
import { Boundary } from "./Boundary";
import { Messages } from "./Messages";
import { styleNonce } from "./nonce";
import type { newRouter } from "./routes";

interface Props {
  queries: QueryClient;
  router: ReturnType<typeof newRouter>;
}

export function App({ queries, router }: Props) {
  return (
    <LangProvider>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={styleNonce}>
        <Messages />
        <Boundary>
          <QueryClientProvider client={queries}>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </Boundary>
      </MantineProvider>
    </LangProvider>
  );
}
