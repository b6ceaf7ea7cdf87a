import react from "@vitejs/plugin-react";
import { loadEnv, type Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a running gateway. */
const gateway = loadEnv("", ".", "FARHAND_").FARHAND_GATEWAY ?? "http://localhost:8080";

/** The browser fetches the drive view, and what it imports, beside the first script, not after it has run. */
const preloadDriveView: Plugin = {
  name: "preload-drive-view",
  transformIndexHtml: {
    order: "post",
    handler: (html, { bundle }) => {
      const drive = Object.values(bundle ?? {}).find(
        (file) => file.type === "chunk" && file.name === "drive",
      );
      if (drive?.type !== "chunk") return [];
      return [drive.fileName, ...drive.imports]
        .filter((file) => !html.includes(file))
        .map((file) => ({
          tag: "link",
          attrs: { rel: "modulepreload", crossorigin: true, href: `./${file}` },
          injectTo: "head",
        }));
    },
  },
};

export default defineConfig({
  // The gateway serves the console under any path prefix; it writes `<base href>` into index.html.
  base: "./",
  plugins: [react(), preloadDriveView],
  // The gateway replaces the placeholder by one nonce for each response.
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    outDir: "../../src/farhand/server/www",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    // No `data:` URLs: the content security policy is `default-src 'self'`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The wheel hands on copies of these packages: their licences ask for their notices beside them.
    license: { fileName: "licenses.md" },
  },
  worker: { format: "es" },
  server: {
    proxy: Object.fromEntries(
      ["/v1", "/health", "/version.json"].map((path) => [path, { target: gateway, ws: true }]),
    ),
  },
  test: {
    environment: "jsdom",
    include: ["test/**/*.test.{ts,tsx}"],
    setupFiles: ["test/setup.ts"],
    restoreMocks: true,
  },
});
