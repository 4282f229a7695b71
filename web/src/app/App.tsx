import { MantineProvider } from "@mantine/core";
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "~/theme/base.css";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { RouterProvider } from "react-router/dom";
import { LangProvider } from "~/i18n/lang";
import { theme } from "~/theme/theme";
import { Boundary } from "./Boundary";
import { styleNonce } from "./nonce";
import { newQueries } from "./queries";
import { newRouter } from "./routes";

export function App() {
  const [queries] = useState(newQueries);
  const [router] = useState(newRouter);
  return (
    <LangProvider>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={styleNonce}>
        <Notifications position="bottom-right" />
        <Boundary>
          <QueryClientProvider client={queries}>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </Boundary>
      </MantineProvider>
    </LangProvider>
  );
}
