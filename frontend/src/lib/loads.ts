/** A load in words. Pure. */
import type { LoadData } from "./page";
import type { LoadItem } from "./protocol";

const SCRIPTS: Record<string, string> = {
  browse: "Customers browse",
  basket: "Customers fill baskets",
  order: "Customers order",
};

/** "Customers browse storefront:80", "Requests to storefront:80/items". */
export function loadTitle(load: LoadData): string {
  const script = SCRIPTS[load.script];
  if (script) return load.target ? `${script} at ${load.target}` : script;
  return `Requests to ${load.target}`;
}

/** The rates to choose from, the lesson's own among them, slowest first. */
export function ratesOf(load: LoadData): number[] {
  return [...new Set([...load.rates, load.rate])].sort((a, b) => a - b);
}

/** What is seen of it: "41 s left. 163 sent, 2 failed." Totals of this run, nothing rounded away. */
export function loadWords(item: LoadItem | null, load: LoadData, now: number): string {
  if (!item || item.phase === "idle") return `Runs ${load.for} s, the same requests for everybody.`;
  const counted = [`${item.sent} sent`, `${item.failed} failed`];
  if (item.lost > 0) counted.push(`${item.lost} ${item.lost === 1 ? "answer" : "answers"} lost`);
  const tally = `${counted.join(", ")}.`;
  if (item.phase === "ended") return `Ended. ${tally}`;
  const left = item.until === null ? null : Math.max(0, Math.ceil(item.until - now));
  return left === null ? tally : `${left} s left. ${tally}`;
}
