/** What of the picture can be an answer: nodes by name, objects as "Kind/name". Pure. */
import type { Item, Items } from "../../lib/protocol";

export type Wanted = "node" | "object";

/** The answer a thing of the picture stands for, or null. A Pod stands for its node where a node is wanted. */
export function answerOf(wanted: Wanted, item: Item | undefined): string | null {
  return wanted === "node" ? nodeOf(item) : objectOf(item);
}

function nodeOf(item: Item | undefined): string | null {
  if (item?.t === "node") return item.name;
  return item?.t === "pod" && item.node ? item.node : null;
}

/** As lessons write it; null for what is no object of Kubernetes. */
function objectOf(item: Item | undefined): string | null {
  switch (item?.t) {
    case "pod":
      return `Pod/${item.name}`;
    case "service":
      return `Service/${item.name}`;
    case "node":
      return `Node/${item.name}`;
    case "workload":
    case "object":
      return `${item.kind}/${item.name}`;
    default:
      return null;
  }
}

/** All that could be the answer, each once, in alphabetical order with numbers in order. */
export function candidates(wanted: Wanted, items: Items): string[] {
  const found = Object.values(items)
    .filter((item) => wanted === "object" || item.t === "node")
    .flatMap((item) => answerOf(wanted, item) ?? []);
  return [...new Set(found)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}
