/** Finding an object by any part of its kind or name. Pure. */
import { titleOf } from "./facts";
import type { World } from "./world";

export interface Found {
  key: string;
  title: string;
}

/** The list is read, not scrolled: what does not fit wants another letter. */
const MOST = 8;

/** Everything in the picture that has a name, in the order of the text twin. */
export function objectsOf(world: World): Found[] {
  const keys = [
    ...[...world.components.values()].map((item) => `component/${item.name}`),
    ...world.workloads.map(([key]) => key),
    ...world.nodes.map(([key]) => key),
    ...world.pods.map(([key]) => key),
    ...world.services.map(([key]) => key),
    ...world.probes.map(([key]) => key),
  ];
  return keys.map((key) => ({ key, title: titleOf(key, world) }));
}

/** Those that hold every word of `query`; names that begin with it come first. */
export function findIn(all: readonly Found[], query: string): Found[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = (one: Found): number =>
    one.title
      .toLowerCase()
      .split(/[\s-]/)
      .some((part) => part.startsWith(words[0] ?? ""))
      ? 0
      : 1;
  return all
    .filter((one) => words.every((word) => one.title.toLowerCase().includes(word)))
    .map((one, i) => ({ one, i }))
    .sort((a, b) => rank(a.one) - rank(b.one) || a.i - b.i)
    .slice(0, MOST)
    .map(({ one }) => one);
}
