import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// Django serves the result: `/static/dist/` with the manifest that django-vite reads.
export default defineConfig(({ command, mode }) => ({
  base: command === "build" ? "/static/dist/" : "/",
  plugins: [svelte()],
  build: {
    outDir: "../platform/classroom/static/dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    // Fonts stay files: an inlined font would be loaded by everybody, needed or not.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ["src/main.ts"] },
  },
  server: { port: 5173, strictPort: false },
  resolve: mode === "test" ? { conditions: ["browser"] } : {},
  test: { environment: "node", include: ["src/**/*.test.ts"] },
}));
