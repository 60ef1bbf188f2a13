/** The flat map of items, sorted into what the picture draws. Pure. */
import type {
  ComponentItem,
  FaultItem,
  Items,
  NodeItem,
  ObjectItem,
  PodItem,
  PredictionItem,
  ProbeItem,
  SandboxItem,
  ServiceItem,
  WorkloadItem,
} from "../lib/protocol";

export type {
  ComponentItem,
  FaultItem,
  Items,
  NodeItem,
  PodItem,
  PredictionItem,
  ProbeItem,
  ServiceItem,
  WorkloadItem,
};

export type Entry<T> = [key: string, item: T];

export interface World {
  nodes: Entry<NodeItem>[];
  pods: Entry<PodItem>[];
  workloads: Entry<WorkloadItem>[];
  services: Entry<ServiceItem>[];
  objects: Entry<ObjectItem>[];
  components: Map<string, ComponentItem>;
  probes: Entry<ProbeItem>[];
  faults: Entry<FaultItem>[];
  predictions: Entry<PredictionItem>[];
  sandbox: SandboxItem | null;
}

export const fix1 = (v: number): number => Number(v.toFixed(1));
const collate = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
/** `worker-2` before `worker-10`. */
const natural = new Intl.Collator("en", { numeric: true });

/** Sorts items into kinds; holds keep their order by node name, Pods by age, so that nothing hops. */
export function readWorld(items: Items): World {
  const world: World = {
    nodes: [],
    pods: [],
    workloads: [],
    services: [],
    objects: [],
    components: new Map(),
    probes: [],
    faults: [],
    predictions: [],
    sandbox: null,
  };
  for (const key of Object.keys(items)) sortIn(world, key, items);
  world.nodes.sort((a, b) => natural.compare(a[1].name, b[1].name));
  world.pods.sort(
    (a, b) => a[1].created - b[1].created || collate(a[1].name, b[1].name) || collate(a[0], b[0]),
  );
  world.services.sort((a, b) => natural.compare(a[1].name, b[1].name));
  world.workloads = inOwnerOrder(world.workloads);
  addUnseenNodes(world);
  return world;
}

function sortIn(world: World, key: string, items: Items): void {
  const item = items[key];
  switch (item?.t) {
    case "node":
      world.nodes.push([key, item]);
      break;
    case "pod":
      world.pods.push([key, item]);
      break;
    case "workload":
      world.workloads.push([key, item]);
      break;
    case "service":
      world.services.push([key, item]);
      break;
    case "object":
      world.objects.push([key, item]);
      break;
    case "component":
      world.components.set(item.name, item);
      break;
    case "probe":
      world.probes.push([key, item]);
      break;
    case "fault":
      world.faults.push([key, item]);
      break;
    case "prediction":
      world.predictions.push([key, item]);
      break;
    case "sandbox":
      world.sandbox = item;
      break;
  }
}

/** Owners before what they own: Deployment, its ReplicaSets, then the next. */
function inOwnerOrder(workloads: Entry<WorkloadItem>[]): Entry<WorkloadItem>[] {
  const sorted = [...workloads].sort((a, b) => natural.compare(a[1].name, b[1].name) || collate(a[0], b[0]));
  const keys = new Set(sorted.map(([key]) => key));
  const ordered: Entry<WorkloadItem>[] = [];
  const add = (owner: string | null): void => {
    for (const entry of sorted) {
      const parent = entry[1].owner !== null && keys.has(entry[1].owner) ? entry[1].owner : null;
      if (parent !== owner || ordered.includes(entry)) continue;
      ordered.push(entry);
      add(entry[0]);
    }
  };
  add(null);
  return ordered;
}

/** A Pod may name a node of which no item has come yet: it still needs a hold to lie in. */
function addUnseenNodes(world: World): void {
  const known = new Set(world.nodes.map(([, node]) => node.name));
  for (const [, pod] of world.pods) {
    if (!pod.node || known.has(pod.node)) continue;
    known.add(pod.node);
    world.nodes.push([
      `node/${pod.node}`,
      { t: "node", name: pod.node, ready: "Unknown", cordoned: false, mem: 0, req: 0 },
    ]);
  }
}

/** A revision that no longer wants or has Pods is history, not wanted state: only the text twin lists it. */
export const isOldRevision = (item: WorkloadItem): boolean =>
  item.kind === "ReplicaSet" && item.owner !== null && item.replicas === 0 && item.there === 0;

/** Nothing that a person made: no Pod, workload or Service. */
export const isEmpty = (world: World): boolean =>
  world.pods.length === 0 && world.workloads.length === 0 && world.services.length === 0;

/** The containers that run the app; those that only prepare it are marked `init` by the record. */
export const mainContainers = (pod: PodItem): PodItem["containers"] =>
  pod.containers.filter((container) => !(container as { init?: boolean }).init);

export const podKey = (uid: string): string => (uid.startsWith("pod/") ? uid : `pod/${uid}`);
export const uidOf = (key: string): string => key.slice(key.indexOf("/") + 1);
