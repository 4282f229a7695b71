import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { styleNonce } from "./nonce";
import type { Opened } from "./pages";
import { newQueries } from "./queries";
import { newRouter } from "./routes";

// where the style that dialogs make, to keep the page from scrolling behind them, looks for it (get-nonce)
Object.assign(globalThis, { __webpack_nonce__: styleNonce() });

/** What draws all there is; `opened`: the page of the address, where its code is there. */
export function prepared(opened: Opened | undefined): () => void {
  const place = document.getElementById("root");
  const root = place && createRoot(place);
  const [queries, router] = [newQueries(), newRouter(opened)];
  return () =>
    root?.render(
      <StrictMode>
        <App queries={queries} router={router} />
      </StrictMode>,
    );
}
