/** The two forms of the shop, as the record knows them: parts, their Pods, and what answers. Pure. */
import type { FaultItem, Items, LoadItem } from "../../lib/protocol";
import { type PodState, stateOf } from "../states";
import { imageLabel } from "../words";
import type { Entry, PodItem, ProbeItem, ServiceItem, World } from "../world";
import { readWorld } from "../world";

export type SideName = "monolith" | "micro";
export const SIDES: readonly SideName[] = ["monolith", "micro"];

/** The app whose Pods are the left ship; every other Pod with a part's label is aboard the right one. */
export const MONOLITH = "monolith";
/** What the shop does, in the order a request passes it: also what one program has inside. */
export const PARTS = ["storefront", "catalogue", "orders", "stock"] as const;

/** `absent`: neither a Pod nor a Service of it is there. `no`: its compartment is under water. */
export type Answers = "yes" | "no" | "absent";

export interface Part {
  name: string;
  pods: Entry<PodItem>[];
  /** The Pod that is drawn: one that serves, else the newest that is not on its way out. */
  shown: Entry<PodItem> | null;
  state: PodState | null;
  service: Entry<ServiceItem> | null;
  answers: Answers;
  /** A fault that is running was done to it. */
  hit: boolean;
  /** Tag of its image, "" when it has none. */
  version: string;
  /** Resident memory of its Pods, bytes; null where nobody measured. */
  memory: number | null;
}

export interface Side {
  name: SideName;
  /** One part for the monolith, one for each service else. */
  parts: Part[];
  /** Inside the monolith's one program; empty on the other side. */
  modules: { name: string; hit: boolean }[];
  probe: Entry<ProbeItem> | null;
  load: Entry<LoadItem> | null;
  /** The try is over and nobody asks any more: what the last visitor met says nothing of now. */
  over: boolean;
}

export type Duel = Record<SideName, Side>;

/** Which side an app, a probe's or a load's id, or a load's target (`monolith:80`) belongs to. */
export const sideOf = (name: string): SideName => (/^mono/.test(name) ? "monolith" : "micro");

/** `targets`: where each load is sent, by its id, as the exercise says. */
export function readDuel(items: Items, targets: Readonly<Record<string, string>> = {}): Duel {
  const world = readWorld(items);
  const hit = hitPods(world);
  const loads = Object.entries(items).filter((entry): entry is Entry<LoadItem> => entry[1].t === "load");
  const probes = world.probes;
  const probeOf = (side: SideName): Entry<ProbeItem> | null => {
    const own = probes.filter(([key]) => sideOf(idOf(key)) === side);
    return own.find(([key]) => /^(mono|monolith|browse|storefront)$/.test(idOf(key))) ?? own[0] ?? null;
  };
  const loadOf = (side: SideName): Entry<LoadItem> | null => {
    const own = loads.filter(([key]) => sideOf(targets[idOf(key)] ?? idOf(key)) === side);
    return own.find(([, load]) => load.phase === "running") ?? own[0] ?? null;
  };
  const attempt = items["attempt/now"];
  const over = attempt?.t === "attempt" && OVER.has(attempt.state);
  const askedBy = (side: SideName): Entry<ProbeItem> | null => (over ? null : probeOf(side));
  const whole = partOf(MONOLITH, world, hit, askedBy("monolith"));
  const names = partNames(world);
  // Visitors ask the storefront: what their probe meets is said of that part only.
  const parts = names.map((name) => partOf(name, world, hit, name === names[0] ? askedBy("micro") : null));
  const stopped = new Set(parts.filter((part) => part.hit).map((part) => part.name));
  return {
    monolith: {
      name: "monolith",
      parts: [whole],
      modules: names.map((name) => ({ name, hit: whole.hit && stopped.has(name) })),
      probe: probeOf("monolith"),
      load: loadOf("monolith"),
      over,
    },
    micro: { name: "micro", parts, modules: [], probe: probeOf("micro"), load: loadOf("micro"), over },
  };
}

const OVER: ReadonlySet<string> = new Set(["handed-in", "marked", "could-not-mark"]);
const idOf = (key: string): string => key.slice(key.indexOf("/") + 1);

/** The shop's parts in the order of a request, then whatever else has Pods here. */
function partNames(world: World): string[] {
  const others = world.pods
    .map(([, pod]) => pod.app)
    .filter((app) => app && app !== MONOLITH && !(PARTS as readonly string[]).includes(app));
  return [...PARTS, ...new Set(others)];
}

function partOf(name: string, world: World, hit: ReadonlySet<string>, probe: Entry<ProbeItem> | null): Part {
  const pods = world.pods.filter(([, pod]) => pod.app === name);
  const staying = pods.filter(([, pod]) => pod.deleting === null);
  const shown = staying.findLast(([, pod]) => pod.ok) ?? staying.at(-1) ?? pods.at(-1) ?? null;
  const memories = pods.flatMap(([, pod]) => (pod.mem === undefined || pod.mem === null ? [] : [pod.mem]));
  const service = world.services.find(([, item]) => item.name === name || item.selector.app === name) ?? null;
  return {
    name,
    pods,
    shown,
    state: shown ? stateOf(shown[1]) : null,
    service,
    answers: answersOf(pods, service, hit, probe),
    hit: pods.some(([key]) => hit.has(key)),
    version: shown ? versionOf(shown[1]) : "",
    memory: memories.length > 0 ? memories.reduce((sum, bytes) => sum + bytes, 0) : null,
  };
}

/**
 * Nothing serves when no Pod is ready, or when the visitors' own request failed. Of a part that nobody asks from
 * outside, a fault that makes its Pods hang is what is known.
 */
function answersOf(
  pods: readonly Entry<PodItem>[],
  service: Entry<ServiceItem> | null,
  hanging: ReadonlySet<string>,
  probe: Entry<ProbeItem> | null,
): Answers {
  if (pods.length === 0) return service ? "no" : "absent";
  const asked = probe !== null && probe[1].sent > 0;
  if (asked && !probe[1].ok) return "no";
  return pods.some(([key, pod]) => pod.ok && (asked || !hanging.has(key))) ? "yes" : "no";
}

/** The visitors' last request got no good answer, and they still ask. */
export const isFailing = ({ over, probe }: Side): boolean =>
  !over && probe !== null && probe[1].sent > 0 && !probe[1].ok;

/** Keys of the Pods that a fault was done to. */
export const targetsOf = (fault: FaultItem): string[] =>
  fault.targets ?? (fault.target === null ? [] : [fault.target]);

/** It takes a request and gives no answer. A slow answer is still one. */
export const hangs = (fault: Pick<FaultItem, "how">): boolean => /^hang\b/.test(fault.how ?? "");

/** It goes on: begun, and not over in any way. */
export const isRunning = (fault: Pick<FaultItem, "phase">): boolean => !NOT_RUNNING.has(fault.phase);
const NOT_RUNNING: ReadonlySet<string> = new Set(["armed", "ended", "reverted", "failed"]);

function hitPods(world: World): Set<string> {
  return new Set(
    world.faults
      .filter(([, fault]) => isRunning(fault) && hangs(fault))
      .flatMap(([, fault]) => targetsOf(fault)),
  );
}

/** `app/storefront:1.1` is `1.1`. */
export function versionOf(pod: PodItem): string {
  const label = imageLabel(pod.containers[0]?.image ?? "");
  const colon = label.indexOf(":");
  return colon < 0 ? "" : label.slice(colon + 1);
}

/** Names of what does not answer on a side: for one program, everything inside it. */
export function stoppedOn(side: Side): string[] {
  if (side.name === "monolith") {
    return side.parts[0]?.answers === "no" ? side.modules.map((module) => module.name) : [];
  }
  return side.parts.filter((part) => part.answers === "no").map((part) => part.name);
}

/** How many parts there are, whether they are there yet or not. */
export const partCount = (side: Side): number =>
  side.name === "monolith"
    ? side.modules.length
    : side.parts.filter((part) => part.answers !== "absent").length;
