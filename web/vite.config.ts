/// <reference types="vitest/config" />
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin, type Rolldown } from "vite";

const GATE = process.env.TIDEGATE_ADMIN ?? "http://127.0.0.1:8081";
const MARK = readFileSync(new URL("./public/assets/mark.svg", import.meta.url), "utf8").trim(); // in the page: two requests less
const START = "/src/app/start.tsx";
const OVERVIEW = "/src/pages/overview/index.tsx";
const ASKS =
  /\/src\/(main|api\/\w+|app\/pages|app\/looks|i18n\/first|parts\/icons)\.ts$|\/node_modules\/(react|@tabler\/.*)\/|\0|index\.html$/; // and what it imports
const OWN = /\/src\/(app\/start|pages\/\w+\/index)\.tsx$/; // what is imported as it runs
const PAGE = /\/src\/pages\/(\w+)\/index\.tsx$/;

/** A shared chunk is called by its group alone, without the names of all who share it. */
const named = (name = "") => `assets/${name.replace(/~.*|\.\w+$/g, "")}-[hash]`;

/** What a chunk needs before it runs. */
function needs(
  chunk: Rolldown.OutputChunk,
  chunks: readonly Rolldown.OutputChunk[],
  found = new Set<Rolldown.OutputChunk>(),
) {
  found.add(chunk);
  for (const name of chunk.imports) {
    const next = chunks.find((one) => one.fileName === name);
    if (next && !found.has(next)) needs(next, chunks, found);
  }
  return found;
}

/**
 * The entry is small, asks the gate and imports what shows the answers: the browser is told of that beside it, and of
 * what the page of the address needs, which stands in a comment of that page's name until the gate serves it. The entry
 * stands at the end and waits for no style, so that the styles of pages come after those that all have.
 */
function beside(): Plugin {
  return {
    name: "beside",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle = {} }) {
        const [tag = "", entry = ""] = /\s*<script type="module"[^>]* src="\/([^"]+)"><\/script>/.exec(html) ?? [];
        const chunks = Object.values(bundle).filter((one) => one.type === "chunk");
        const told = new Set<Rolldown.OutputChunk>();
        const linksOf = (chunk: Rolldown.OutputChunk | undefined) => {
          const more = chunk ? [...needs(chunk, chunks)].filter((one) => !told.has(one)) : [];
          const styles = new Set(more.flatMap((one) => [...(one.viteMetadata?.importedCss ?? [])]));
          return [
            ...[...styles].map((name) => `<link rel="stylesheet" href="/${name}" crossorigin>`),
            ...more.map((one) => `<link rel="modulepreload" href="/${one.fileName}" crossorigin>`),
          ];
        };
        const asks = chunks.find((one) => one.fileName === entry);
        if (asks?.imports.length !== 0)
          throw new Error(`the entry waits for ${asks?.imports.join() ?? "nothing"}: see ASKS`);
        const links: string[] = [];
        for (const chunk of [asks, chunks.find((one) => one.facadeModuleId?.endsWith(START))]) {
          links.push(...linksOf(chunk));
          if (chunk) needs(chunk, chunks, told);
        }
        for (const chunk of chunks) {
          const [, name] = PAGE.exec(chunk.facadeModuleId ?? "") ?? [];
          if (name) links.push(`<!--page ${name} ${linksOf(chunk).join("")}-->`);
        }
        return html
          .replace(tag, "")
          .replace(/(<link rel="icon" href=")[^"]*/, `$1data:image/svg+xml,${encodeURIComponent(MARK)}`)
          .replace(/\s*<link rel="modulepreload"[^>]*>/g, "")
          .replace("</head>", `  ${links.join("\n    ")}\n  </head>`)
          .replace("</body>", `  <script type="module" async crossorigin src="/${entry}"></script>\n  </body>`);
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
      input: { index: "index.html", start: `.${START}`, overview: `.${OVERVIEW}` }, // what the first page needs
      output: {
        chunkFileNames: ({ name }) => `${named(name)}.js`,
        assetFileNames: ({ names }) => `${named(names[0])}[extname]`,
        codeSplitting: {
          groups: [
            { name: "first", tags: ["$initial"], test: ASKS, priority: 2 }, // the entry waits for no other file
            {
              name: "react",
              tags: ["$initial"],
              test: /\/node_modules\/(react-dom|react-router|scheduler)\//,
              priority: 2,
            }, // so large as the rest: read beside it
            { name: "frame", tags: ["$initial"], test: (id) => !OWN.test(id), priority: 1 },
            { name: "kit", minShareCount: 5 },
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
