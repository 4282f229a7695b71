import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { styleNonce } from "./nonce";

// where the style that dialogs make, to keep the page from scrolling behind them, looks for it (get-nonce)
Object.assign(globalThis, { __webpack_nonce__: styleNonce() });

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
