import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// The dev page as static files, for tests: `npx vite build --config dev/vite.config.ts --outDir DIR`.
export default defineConfig({
  root: new URL(".", import.meta.url).pathname,
  base: "./",
  plugins: [svelte()],
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, emptyOutDir: true },
});
