import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "./",
  build: {
    lib: { entry: "src/index.ts", formats: ["es"], fileName: "index" },
    target: "es2022",
    sourcemap: false,
    // The Worker must be a file of its own: a `data:` or `blob:` Worker breaks `default-src 'self'`.
    assetsInlineLimit: 0,
  },
  worker: { format: "es" },
  test: { environment: "node", include: ["test/**/*.test.ts"] },
});
