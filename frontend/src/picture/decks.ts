/** The midship section: where Pods, branches and valves stand on the decks. Pure. */

import { predictedHold } from "./drawing";
import { DECK_POD, type Midship, midship, podsPerRow } from "./geometry";
import { type Berths, berth, modeOf, roomOfDeck } from "./layout";
import { type PodState, stateOf } from "./states";
import { memoryShare, ownerText, podLabel } from "./words";
import { fix1, type NodeItem, type PodItem, type ServiceItem, type World } from "./world";

export interface DeckPodView {
  key: string;
  pod: PodItem;
  state: PodState;
  label: string;
  owner: string;
  x: number;
  y: number;
  lastKnown: boolean;
}
export interface DeckView {
  key: string;
  node: NodeItem;
  top: number;
  height: number;
  share: number | null;
  stack: { key: string; count: number; ready: number; keys: string[]; x: number; y: number } | null;
}
export interface BranchView {
  key: string;
  x: number;
  y: number;
  ready: boolean;
  small: boolean;
}
export interface DecksDrawing {
  ship: Midship;
  decks: DeckView[];
  pods: DeckPodView[];
  hanging: DeckPodView[];
  moreHanging: number;
  ghost: { x: number; y: number } | null;
  service: { key: string; item: ServiceItem } | null;
  moreServices: number;
  pipe: string;
  noPath: string;
  branches: BranchView[];
}

const PITCH_X = 112;
const PITCH_Y = DECK_POD.h + 8;
const DROP = 9;

export function drawDecks(
  world: World,
  width: number,
  height: number,
  berths: Berths,
): { drawing: DecksDrawing; berths: Map<string, { hold: string; slot: number }> } {
  const perRow = podsPerRow(width);
  const room = roomOfDeck(perRow);
  const next = berth(berths, world.pods, room);
  const waiting = world.pods.filter(([, pod]) => !pod.node);
  const aboard = world.nodes.map(([, node]) => world.pods.filter(([, pod]) => pod.node === node.name));
  const stacked = aboard.map((pods) => modeOf(pods.length, room) !== "full");
  const rows = aboard.map((pods, i) =>
    stacked[i] ? 1 : 1 + Math.floor(Math.max(0, ...pods.map(([key]) => next.get(key)?.slot ?? 0)) / perRow),
  );
  const ship = midship(width, height, rows, waiting.length > 0);
  const owner = (pod: PodItem): string | undefined =>
    world.workloads.find(([key]) => key === pod.owner)?.[1].kind;
  const at = (i: number, slot: number): { x: number; y: number } => ({
    x: fix1(ship.podX + (slot % perRow) * PITCH_X),
    y: (ship.decks[i]?.top ?? 0) + DROP + Math.floor(slot / perRow) * PITCH_Y,
  });
  const podView = (
    [key, pod]: [string, PodItem],
    place: { x: number; y: number },
    lastKnown: boolean,
  ): DeckPodView => ({
    key,
    pod,
    state: stateOf(pod),
    label: podLabel(pod, owner(pod)),
    owner: ownerText(pod, world),
    ...place,
    lastKnown,
  });
  const decks = world.nodes.map(([key, node], i): DeckView => {
    const pods = aboard[i] ?? [];
    const stack = stacked[i]
      ? {
          key: `stack/${i}`,
          count: pods.length,
          ready: pods.filter(([, pod]) => pod.ok).length,
          keys: pods.map(([k]) => k),
          ...at(i, 0),
        }
      : null;
    return {
      key,
      node,
      top: ship.decks[i]?.top ?? 0,
      height: ship.decks[i]?.height ?? 0,
      share: memoryShare(node),
      stack,
    };
  });
  const pods = aboard.flatMap((list, i) =>
    stacked[i]
      ? []
      : list.map((entry) =>
          podView(entry, at(i, next.get(entry[0])?.slot ?? 0), world.nodes[i]?.[1].ready !== "True"),
        ),
  );
  const seats = Math.max(1, Math.floor((ship.W - 24) / PITCH_X));
  const hanging = waiting
    .slice(0, seats)
    .map((entry, i) => podView(entry, { x: 14 + i * PITCH_X, y: 62 }, false));
  const [service] = world.services;
  const branches = service ? branchesOf(service[1], pods, ship, perRow) : [];
  return {
    drawing: {
      ship,
      decks,
      pods,
      hanging,
      moreHanging: waiting.length - hanging.length,
      ghost: ghostPlace(world, next, perRow, at),
      service: service ? { key: service[0], item: service[1] } : null,
      moreServices: Math.max(0, world.services.length - 1),
      ...pipeOf(branches, ship),
      branches,
    },
    berths: next,
  };
}

function ghostPlace(
  world: World,
  berths: Berths,
  perRow: number,
  at: (i: number, slot: number) => { x: number; y: number },
): { x: number; y: number } | null {
  const i = predictedHold(world);
  const node = world.nodes[i]?.[1];
  if (!node) return null;
  const taken = new Set(
    world.pods.filter(([, pod]) => pod.node === node.name).map(([key]) => berths.get(key)?.slot),
  );
  let slot = 0;
  while (taken.has(slot)) slot++;
  return slot < perRow ? at(i, slot) : null;
}

/** The nearest Pod's branch is at its middle; the branches of those behind it run lower and pass behind it. */
function branchesOf(
  service: ServiceItem,
  pods: readonly DeckPodView[],
  ship: Midship,
  perRow: number,
): BranchView[] {
  return Object.entries(service.endpoints).flatMap(([uid, state]): BranchView[] => {
    const view = pods.find((pod) => pod.key === `pod/${uid}`);
    if (!view) return [];
    const column = Math.round((view.x - ship.podX) / PITCH_X);
    const before = pods.filter((pod) => pod.y === view.y && pod.x > view.x).length;
    const small = before > 0 && column < perRow - 1;
    const y = view.y + 37 + (small ? 24 * Math.min(1, before) : 0);
    return [{ key: view.key, x: view.x + DECK_POD.w, y, ready: state === "ready", small }];
  });
}

function pipeOf(branches: readonly BranchView[], ship: Midship): { pipe: string; noPath: string } {
  if (branches.length === 0) return { pipe: "", noPath: "" };
  const x = ship.pipeX;
  const top = ship.y0 - 26;
  const low = branches.reduce((a, b) => (b.y > a.y ? b : a));
  const end = (branch: BranchView): number => (branch.ready ? branch.x + 2 : x - 12);
  const rest = branches
    .filter((branch) => branch !== low)
    .map((branch) => `M${x} ${branch.y}H${end(branch)}`);
  const dots = branches
    .filter((branch) => !branch.ready)
    .map((branch) => `M${x - 29} ${branch.y}H${branch.x + 3}`);
  return { pipe: `M${x} ${top}V${low.y}H${end(low)}${rest.join("")}`, noPath: dots.join("") };
}
