// Prints what a lesson page loads first: JavaScript of the entry and of the page's chunk with all they import
// at once, gzip -9. Exit code 1 over the budget. `--json` prints {"JS": {"kb_gzip": …, "budget": …}}.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 70;
const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "../../platform/classroom/static/dist");
const manifest = JSON.parse(readFileSync(join(dist, "manifest.json"), "utf8"));

/** Files of a chunk and of all it imports at once. */
function filesOf(key, seen = new Set()) {
  const chunk = manifest[key];
  if (!chunk || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const next of chunk.imports ?? []) filesOf(next, seen);
  return seen;
}

const files = filesOf("src/main.ts");
filesOf("src/page/lesson.ts", files);
const sizes = [...files].map((file) => ({
  file,
  bytes: gzipSync(readFileSync(join(dist, file)), { level: 9 }).length,
}));
const kb = sizes.reduce((sum, one) => sum + one.bytes, 0) / 1000;
if (process.argv.includes("--json")) {
  console.log(JSON.stringify({ JS: { kb_gzip: Number(kb.toFixed(1)), budget: BUDGET_KB } }));
} else {
  for (const { file, bytes } of sizes) console.log(`${(bytes / 1000).toFixed(1).padStart(7)} kB  ${file}`);
  console.log(`${kb.toFixed(1).padStart(7)} kB gzip at first load of a lesson page (budget ${BUDGET_KB})`);
}
process.exit(kb > BUDGET_KB ? 1 : 0);
