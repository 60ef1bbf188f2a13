import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

// `css: external` is the default: no style element is made at run time, as the page's CSP wants.
export default {
  preprocess: vitePreprocess(),
  compilerOptions: { runes: true },
};
