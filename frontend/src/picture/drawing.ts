/** From the world to what stands where in the ship's hull. Pure: numbers, words and paths, no DOM. */
import { HALF, type Hull, holdX, hull, POD } from "./geometry";
import { type Berths, berth, modeOf, type Place, placeInHold, type Room, roomOf } from "./layout";
import { isBeingLowered, isInHand, type PodState, stateOf } from "./states";
import { memoryShare, nodeStatus, ownerText, podLabel } from "./words";
import { fix1, type NodeItem, type PodItem, type ServiceItem, type World } from "./world";

export interface HoldView {
  key: string;
  node: NodeItem;
  x: number;
  p: number;
  share: number | null;
  status: string;
  flooded: boolean;
  /** Its kubelet works on a Pod now. */
  acting: boolean;
  /** Where the condition disc stands, and whether its word finds room beside the kubelet's plate. */
  discX: number;
  showsWord: boolean;
  narrow: boolean;
}

export interface PodView {
  key: string;
  pod: PodItem;
  state: PodState;
  label: string;
  /** "owned by ReplicaSet web", for the sentence. */
  owner: string;
  x: number;
  y: number;
  size: "full" | "half";
  hold: number;
  column: string;
  /** Last known state on a node that does not answer. */
  lastKnown: boolean;
  lowered: boolean;
}

/** More Pods than a hold can show one by one. */
export interface StackView {
  key: string;
  hold: number;
  x: number;
  y: number;
  count: number;
  ready: number;
  label: string;
  keys: string[];
  owners: Set<string | null>;
}

/** A Pod that is bound to no node: it hangs from the crane. */
export interface SeatView {
  key: string;
  pod: PodItem;
  state: PodState;
  label: string;
  owner: string;
  x: number;
  /** Others that wait behind this one, when there are more Pods than seats. */
  more: number;
}

export interface GhostView {
  x: number;
  y: number;
  size: "full" | "half";
}

export interface ValveView {
  key: string;
  x: number;
  ready: number;
  total: number;
}

export interface PipeView {
  key: string;
  service: ServiceItem;
  plateX: number;
  plateW: number;
  y: number;
  path: string;
  noPath: string;
  valves: ValveView[];
}

export interface Drawing {
  ship: Hull;
  room: Room;
  holds: HoldView[];
  pods: PodView[];
  stacks: StackView[];
  seats: SeatView[];
  ghost: GhostView | null;
  pipes: PipeView[];
  /** Services for which there is no plate any more. */
  hiddenServices: number;
  /** Where each Pod's column stands, for wires and valves. */
  anchors: Map<string, { x: number; hold: number; column: string }>;
}

const PLATE_GAP = 10;
const PLATE_W = 190;
const LEAST_PLATE_W = 104;
const STACK = { w: 146, h: 68 } as const;

/** `berths` are those of the moment before; the new ones come back for the next time. */
export function draw(
  world: World,
  width: number,
  height: number,
  berths: Berths,
): { drawing: Drawing; berths: Berths } {
  const ship = hull(width, height, world.nodes.length || 1);
  const room = roomOf(ship.p);
  const next = berth(berths, world.pods, room);
  const holds = world.nodes.map(([key, node], i) => holdView(ship, key, node, i, world));
  const { pods, stacks, anchors } = placePods(world, ship, room, next);
  const { pipes, hidden } = pipeViews(world, ship, anchors);
  const drawing: Drawing = {
    ship,
    room,
    holds,
    pods,
    stacks,
    seats: seatViews(world, ship, pipes, pods),
    ghost: ghostView(world, ship, room, next),
    pipes,
    hiddenServices: hidden,
    anchors,
  };
  return { drawing, berths: next };
}

/** Views that say the same as before stay the same objects, so that only what changed is drawn again. */
export function keepSame<T extends { key: string }>(before: readonly T[], after: readonly T[]): T[] {
  const old = new Map(before.map((view) => [view.key, view]));
  return after.map((view) => {
    const was = old.get(view.key);
    return was && sameFields(was, view) ? was : view;
  });
}

function sameFields<T extends object>(a: T, b: T): boolean {
  return (Object.keys(b) as (keyof T)[]).every((field) => a[field] === b[field]);
}

function holdView(ship: Hull, key: string, node: NodeItem, i: number, world: World): HoldView {
  // Condensed 15.5 px: about 7.3 px a letter; the disc moves aside for long names.
  const discX = Math.max(ship.p < 200 ? 84 : 93, 14 + 7.3 * node.name.length + 12);
  const status = nodeStatus(node);
  return {
    key,
    node,
    x: holdX(ship, i),
    p: ship.p,
    share: memoryShare(node),
    status,
    flooded: node.ready !== "True",
    acting: world.pods.some(([, pod]) => pod.node === node.name && isInHand(pod)),
    discX,
    showsWord: ship.p >= 200 && discX + 10 + (node.ready === "True" ? 36 : 54) <= ship.p - 78,
    narrow: ship.p < 200,
  };
}

function ownerKind(world: World, pod: PodItem): string | undefined {
  return world.workloads.find(([key]) => key === pod.owner)?.[1].kind;
}

function placePods(
  world: World,
  ship: Hull,
  room: Room,
  berths: Berths,
): Pick<Drawing, "pods" | "stacks" | "anchors"> {
  const pods: PodView[] = [];
  const stacks: StackView[] = [];
  const anchors: Drawing["anchors"] = new Map();
  for (const [i, [, node]] of world.nodes.entries()) {
    const aboard = world.pods.filter(([, pod]) => pod.node === node.name);
    const x = holdX(ship, i);
    const highest = Math.max(-1, ...aboard.map(([key]) => berths.get(key)?.slot ?? 0));
    if (modeOf(aboard.length, room) === "stack") {
      stacks.push(stackView(aboard, i, x, ship));
      for (const [key] of aboard)
        anchors.set(key, { x: fix1(x + 31 + STACK.w / 2), hold: i, column: "stack" });
      continue;
    }
    for (const [key, pod] of aboard) {
      const place = placeInHold(berths.get(key)?.slot ?? 0, aboard.length, highest, room);
      pods.push(podView(world, ship, key, pod, place, x, i, node.ready !== "True"));
      anchors.set(key, {
        x: fix1(x + place.x + (place.size === "full" ? POD.w : HALF.w) / 2),
        hold: i,
        column: place.column,
      });
    }
  }
  return { pods, stacks, anchors };
}

function podView(
  world: World,
  ship: Hull,
  key: string,
  pod: PodItem,
  place: Place,
  x: number,
  hold: number,
  lastKnown: boolean,
): PodView {
  const state = stateOf(pod);
  return {
    key,
    pod,
    state,
    label: podLabel(pod, ownerKind(world, pod)),
    owner: ownerText(pod, world),
    x: fix1(x + place.x + (state.look === "evicted" && place.size === "full" ? 4 : 0)),
    y: ship.podY + place.y,
    size: place.size,
    hold,
    column: place.column,
    lastKnown,
    lowered: isBeingLowered(pod),
  };
}

function stackView(aboard: World["pods"], hold: number, x: number, ship: Hull): StackView {
  const apps = new Set(aboard.map(([, pod]) => pod.app));
  const [app] = apps;
  return {
    key: `stack/${hold}`,
    hold,
    x: fix1(x + 31),
    y: ship.podY + 40,
    count: aboard.length,
    ready: aboard.filter(([, pod]) => pod.ok).length,
    label: apps.size === 1 && app ? app : "Pods",
    keys: aboard.map(([key]) => key),
    owners: new Set(aboard.map(([, pod]) => pod.owner)),
  };
}

/** Valve of each column a Service reaches, and the pipe through them: header, legs, riser in one path. */
function pipeViews(
  world: World,
  ship: Hull,
  anchors: Drawing["anchors"],
): { pipes: PipeView[]; hidden: number } {
  const left = 262;
  const right = ship.W - 310;
  const fits = Math.max(1, Math.floor((right - left + PLATE_GAP) / (LEAST_PLATE_W + PLATE_GAP)));
  const shown = world.services.slice(0, fits);
  const n = Math.max(1, shown.length);
  const plateW = fix1(Math.min(PLATE_W, (right - left - PLATE_GAP * (n - 1)) / n));
  const pipes = shown.map(([key, service], i) => {
    const plateX = fix1(right - plateW - i * (plateW + PLATE_GAP));
    const y = ship.D - 68 - 8 * Math.min(i, 2);
    const valves = valvesOf(key, service, anchors, n === 1 ? 0 : 18 * (i - (n - 1) / 2));
    const path = pipePath(ship, valves, fix1(plateX + plateW / 2), y);
    const noPath = valves
      .filter((valve) => valve.ready === 0)
      .map((valve) => `M${valve.x} ${ship.D - 5}V${ship.T - 193}`)
      .join("");
    return { key, service, plateX, plateW, y, path, noPath, valves };
  });
  return { pipes, hidden: world.services.length - shown.length };
}

function valvesOf(
  key: string,
  service: ServiceItem,
  anchors: Drawing["anchors"],
  offset: number,
): ValveView[] {
  const valves = new Map<string, ValveView>();
  for (const [uid, state] of Object.entries(service.endpoints)) {
    const anchor = anchors.get(`pod/${uid}`);
    if (!anchor) continue;
    const id = `${key}>${anchor.hold}/${anchor.column}`;
    const valve = valves.get(id) ?? { key: id, x: fix1(anchor.x + offset), ready: 0, total: 0 };
    valve.total += 1;
    if (state === "ready") valve.ready += 1;
    valves.set(id, valve);
  }
  return [...valves.values()].sort((a, b) => a.x - b.x);
}

/** Corners are mitred by running first leg, header and last leg through; every other leg joins the header. */
export function pipePath(ship: Hull, valves: readonly ValveView[], riser: number, y: number): string {
  if (valves.length === 0) return "";
  const ends = [
    ...valves.map((valve) => ({ x: valve.x, to: valve.ready > 0 ? ship.T - 192 : ship.D - 23 })),
    { x: riser, to: ship.D - 88 },
  ].sort((a, b) => a.x - b.x);
  const first = ends[0];
  const last = ends.at(-1);
  if (!first || !last) return "";
  const middle = ends.slice(1, -1).map((end) => `M${end.x} ${y}V${end.to}`);
  return `M${first.x} ${first.to}V${y}H${last.x}V${last.to}${middle.join("")}`;
}

/** Pending Pods hang between the valves: over the inner bulkheads first, then wherever no leg comes down. */
function seatViews(
  world: World,
  ship: Hull,
  pipes: readonly PipeView[],
  pods: readonly PodView[],
): SeatView[] {
  const waiting = world.pods.filter(([, pod]) => !pod.node);
  if (waiting.length === 0) return [];
  const lowered = pods
    .filter((view) => view.lowered)
    .map((view) => view.x + (view.size === "full" ? POD.w : HALF.w) / 2);
  const legs = [...lowered, ...pipes.flatMap((pipe) => pipe.valves.map((valve) => valve.x))];
  const free = (x: number): boolean =>
    x > 300 && x < ship.W - 160 && legs.every((leg) => Math.abs(leg - x) > 62);
  const bulkheads = ship.bulkheads.slice(1, -1).map((x) => fix1(x + 13));
  const others = Array.from({ length: Math.floor((ship.W - 460) / 26) }, (_, i) => 310 + 26 * i);
  const seats: number[] = [];
  for (const x of [...bulkheads, ...others]) {
    if (free(x) && seats.every((seat) => Math.abs(seat - x) >= 112)) seats.push(x);
  }
  if (seats.length === 0) seats.push(bulkheads[0] ?? ship.W / 2);
  const shown = waiting.slice(0, seats.length);
  return shown.map(([key, pod], i) => ({
    key,
    pod,
    state: stateOf(pod),
    label: podLabel(pod, ownerKind(world, pod)),
    owner: ownerText(pod, world),
    x: seats[i] ?? 0,
    more: i === shown.length - 1 ? waiting.length - shown.length : 0,
  }));
}

/** Where a person said a Pod would be: only when what they said is a node's name. */
export function predictedHold(world: World): number {
  const names = world.nodes.map(([, node]) => node.name);
  for (const [, prediction] of world.predictions) {
    const value = Array.isArray(prediction.value) ? prediction.value[0] : prediction.value;
    const i = typeof value === "string" ? names.indexOf(value) : -1;
    if (i >= 0) return i;
  }
  return -1;
}

function ghostView(world: World, ship: Hull, room: Room, berths: Berths): GhostView | null {
  const i = predictedHold(world);
  const node = world.nodes[i]?.[1];
  if (!node) return null;
  const aboard = world.pods.filter(([, pod]) => pod.node === node.name);
  if (modeOf(aboard.length + 1, room) === "stack") return null;
  const taken = new Set(aboard.map(([key]) => berths.get(key)?.slot));
  let slot = 0;
  while (taken.has(slot)) slot++;
  const highest = Math.max(slot, ...aboard.map(([key]) => berths.get(key)?.slot ?? 0));
  // A ghost never makes real Pods shrink: in a hold that is full of full capsules it is left out.
  if (modeOf(aboard.length, room) === "full" && slot >= room.mixed) return null;
  const place = placeInHold(slot, aboard.length, Math.min(highest, room.mixed - 1), room);
  return { x: fix1(holdX(ship, i) + place.x), y: ship.podY + place.y, size: place.size };
}
