/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const GATE = process.env.TIDEGATE_ADMIN ?? "http://127.0.0.1:8081";
const START = "/src/app/start.tsx";

/** A shared chunk is called by its group alone, without the names of all who share it. */
const named = (name = "") => `assets/${name.replace(/~.*|\.\w+$/g, "")}-[hash]`;

/**
 * The entry is small, asks the gate and imports what shows the answers: the browser is told of that beside it. The entry
 * stands at the end and waits for no style, so that the styles of pages come after those that all have.
 */
function beside(): Plugin {
  return {
    name: "beside",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle = {} }) {
        const [tag = "", entry = ""] = /\s*<script type="module"[^>]* src="([^"]+)"><\/script>/.exec(html) ?? [];
        const chunks = Object.values(bundle).filter((one) => one.type === "chunk");
        const scripts = new Set([entry]);
        const styles = new Set<string>();
        const want = (name: string) => {
          const chunk = chunks.find((one) => one.fileName === name);
          scripts.add(`/${name}`);
          chunk?.viteMetadata?.importedCss.forEach((style) => styles.add(`/${style}`));
          chunk?.imports.filter((one) => !scripts.has(`/${one}`)).forEach(want);
        };
        chunks.filter((one) => one.facadeModuleId?.endsWith(START)).forEach((one) => want(one.fileName));
        const links = [
          ...[...styles].map((href) => ({ rel: "stylesheet", href })),
          ...[...scripts].map((href) => ({ rel: "modulepreload", href })),
        ];
        return {
          html: html.replace(tag, ""),
          tags: [
            ...links.map((attrs) => ({
              tag: "link",
              attrs: { ...attrs, crossorigin: true },
              injectTo: "head" as const,
            })),
            { tag: "script", attrs: { type: "module", async: true, crossorigin: true, src: entry }, injectTo: "body" },
          ],
        };
      },
    },
  };
}

export default defineConfig({
  base: "/",
  plugins: [react(), beside()],
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../src/tidegate/control/site",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the page's policy loads files of its own host only
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        chunkFileNames: ({ name }) => `${named(name)}.js`,
        assetFileNames: ({ names }) => `${named(names[0])}[extname]`,
        codeSplitting: {
          groups: [
            { name: "first", tags: ["$initial"], priority: 1 }, // the entry waits for no other file
            { name: "frame", minShareCount: 5 },
            { name: "shared", minShareCount: 2, entriesAware: true, entriesAwareMergeThreshold: 16_384 },
          ],
        },
      },
    },
  },
  server: { proxy: Object.fromEntries(["/admin", "/docs"].map((at) => [at, { target: GATE, changeOrigin: false }])) },
  test: {
    environment: "jsdom",
    setupFiles: ["src/test/setup.ts"],
    css: false,
    restoreMocks: true,
    testTimeout: 60_000,
  },
});
