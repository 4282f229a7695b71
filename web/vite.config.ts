/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const GATE = process.env.TIDEGATE_ADMIN ?? "http://127.0.0.1:8081";

export default defineConfig({
  base: "/",
  plugins: [react()],
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../src/tidegate/control/site",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the page's policy loads files of its own host only
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: Object.fromEntries(["/admin", "/docs"].map((at) => [at, { target: GATE, changeOrigin: false }])) },
  test: {
    environment: "jsdom",
    setupFiles: ["src/test/setup.ts"],
    css: false,
    restoreMocks: true,
    testTimeout: 30_000,
  },
});
