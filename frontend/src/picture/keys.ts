/** Moving through the picture by keys: ← → between holds, ↑ ↓ in a hold, O to the owner, S to the Service. Pure. */
import type { World } from "./world";

interface Placed {
  key: string;
  x: number;
  y: number;
}

export interface Drawn {
  pods: readonly Placed[];
  stacks?: readonly (Placed & { hold: number })[];
  decks?: readonly { key: string; stack: Placed | null }[];
}

/** Columns stern to bow: bridge and wanted objects, Pods without a node, each hold with its Pods, what is outside. */
export function columnsOf(world: World, drawn: Drawn | null): string[][] {
  const byPlace = (a: Placed, b: Placed): number => a.y - b.y || a.x - b.x;
  const stern = [
    "component/api-server",
    "component/scheduler",
    "component/controller-manager",
    ...(drawn?.decks ? [] : ["component/etcd", ...world.workloads.map(([key]) => key)]),
  ];
  const waiting = world.pods.filter(([, pod]) => !pod.node).map(([key]) => key);
  const holds = world.nodes.map(([key, node], i) => {
    const aboard = new Set(world.pods.filter(([, pod]) => pod.node === node.name).map(([one]) => one));
    const pods = (drawn?.pods ?? []).filter((pod) => aboard.has(pod.key)).sort(byPlace);
    const stack = drawn?.stacks?.find((one) => one.hold === i) ?? drawn?.decks?.[i]?.stack;
    return [...pods.map((pod) => pod.key), ...(stack ? [stack.key] : []), key];
  });
  const outside = [...world.services.map(([key]) => key), ...world.probes.map(([key]) => key)];
  return [stern, waiting, ...holds, outside].filter((column) => column.length > 0);
}

/** The key to go to from `key`, or null when there is nothing that way. */
export function neighbour(key: string, press: string, world: World, drawn: Drawn | null): string | null {
  const pod = world.pods.find(([one]) => one === key)?.[1];
  if (press === "o") return pod?.owner ?? world.workloads.find(([one]) => one === key)?.[1].owner ?? null;
  if (press === "s") {
    const uid = key.replace(/^pod\//, "");
    return world.services.find(([, service]) => uid in service.endpoints)?.[0] ?? null;
  }
  const columns = columnsOf(world, drawn);
  const c = columns.findIndex((column) => column.includes(key));
  const column = columns[c];
  if (!column) return columns[0]?.[0] ?? null;
  const r = column.indexOf(key);
  const to: Record<string, string | undefined> = {
    ArrowUp: column[r - 1],
    ArrowDown: column[r + 1],
    ArrowLeft: columns[c - 1]?.[0],
    ArrowRight: columns[c + 1]?.[0],
  };
  return to[press] ?? null;
}
