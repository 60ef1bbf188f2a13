/** Plates of wanted state in the stern, and the wires of ownership and watching in the duct keel. Pure. */
import type { Drawing } from "./drawing";
import { HALF, type Hull, POD } from "./geometry";
import { fix1, isOldRevision, type WorkloadItem, type World } from "./world";

export interface PlateView {
  key: string;
  item: WorkloadItem;
  x: number;
  y: number;
  h: number;
  compact: boolean;
  label: string;
  labelSize: number;
  pips: PipView[];
}

export interface PipView {
  kind: "there" | "making" | "missing";
  x: number;
  scale: number;
}

export const PLATE = { x: 108, w: 130, h: 69, compactH: 42 } as const;
const FULL_PITCH = 88;
const COMPACT_PITCH = 50;

export interface Stern {
  plates: PlateView[];
  /** Workloads that found no place; the text twin has them. */
  hidden: number;
  /** y of the free space under the plates, or null when there is none for the line about etcd. */
  freeY: number | null;
}

/** Wanted state from deck to tank top: two large plates, else compact ones, owners above what they own. */
export function sternOf(world: World, ship: Hull): Stern {
  const current = world.workloads.filter(([, item]) => !isOldRevision(item));
  const space = ship.T - ship.D - 16;
  const compact = current.length * FULL_PITCH > space + (FULL_PITCH - PLATE.h);
  const pitch = compact ? COMPACT_PITCH : FULL_PITCH;
  const fits = Math.floor(
    (space + (compact ? COMPACT_PITCH - PLATE.compactH : FULL_PITCH - PLATE.h)) / pitch,
  );
  const shown = current.slice(0, current.length > fits ? fits - 1 : fits);
  const hidden = current.length - shown.length;
  const plates = shown.map(([key, item], i): PlateView => {
    const { label, size } = plateLabel(item, compact);
    return {
      key,
      item,
      x: PLATE.x,
      y: ship.D + 11.5 + i * pitch,
      h: compact ? PLATE.compactH : PLATE.h,
      compact,
      label,
      labelSize: size,
      pips: pipsOf(item, compact),
    };
  });
  const bottom = ship.D + 11.5 + shown.length * pitch;
  return { plates, hidden, freeY: ship.T - bottom >= 18 && shown.length > 0 ? bottom : null };
}

/** A name that fits 112 px of mono: smaller first, then a ReplicaSet's hash, which is what tells it apart. */
export function plateLabel(item: WorkloadItem, compact: boolean): { label: string; size: number } {
  const width = 112;
  const sizes = compact ? [13.5, 12, 11] : [15.5, 13.5, 12, 11];
  for (const size of sizes) if (item.name.length * size * 0.6 <= width) return { label: item.name, size };
  const hash =
    item.kind === "ReplicaSet" && item.owner ? item.name.slice(item.name.lastIndexOf("-") + 1) : item.name;
  for (const size of sizes) if (hash.length * size * 0.6 <= width) return { label: hash, size };
  return { label: `…${hash.slice(-15)}`, size: 11 };
}

/**
 * ■ there and ready, dashed = being made, empty = wanted and missing. More than seven are a number only, on a
 * compact plate more than five: there they stand beside the kind's name and must not touch it.
 */
export function pipsOf(item: WorkloadItem, compact = false): PipView[] {
  const total = Math.max(item.replicas, item.there);
  if (total > (compact ? 5 : 7)) return [];
  const scale = total > (compact ? 3 : 4) ? 0.6 : 1;
  return Array.from({ length: total }, (_, i) => ({
    kind: i < item.ready ? "there" : i < item.there ? "making" : "missing",
    x: 10 + i * 15 * scale,
    scale,
  }));
}

export interface OwnWire {
  key: string;
  owner: string;
  path: string;
  ends: { x: number; y: number }[];
}

/** From each plate down through the duct keel and up into every Pod it owns. */
export function ownWires(drawing: Drawing, stern: Stern): OwnWire[] {
  const { ship } = drawing;
  const wires: OwnWire[] = [];
  const plateOf = new Map(stern.plates.map((plate) => [plate.key, plate]));
  for (const [i, plate] of stern.plates.entries()) {
    const owner = plate.item.owner ? plateOf.get(plate.item.owner) : undefined;
    if (owner) wires.push(betweenPlates(owner, plate, stern.plates[i - 1] === owner && !plate.compact));
  }
  let lane = 0;
  for (const [i, plate] of stern.plates.entries()) {
    const rises = risesOf(drawing, plate.key);
    if (rises.length === 0) continue;
    const y = ship.K - 12 - 3.5 * Math.min(lane, 3);
    const last = i === stern.plates.length - 1;
    const start = last ? { x: 206, y: plate.y + plate.h } : { x: PLATE.x - 3, y: plate.y + plate.h - 9 };
    const down = last ? `M206 ${start.y}V${y}` : `M${PLATE.x} ${start.y}H${104 - 3 * Math.min(lane, 2)}V${y}`;
    const far = Math.max(...rises.map((rise) => rise.x));
    const up = rises.map((rise) => `M${rise.x} ${y}V${rise.y}`).join("");
    wires.push({
      key: `own/${plate.key}`,
      owner: plate.key,
      path: `${down}H${far}${up}`,
      ends: [start, ...rises],
    });
    lane++;
  }
  return wires;
}

function betweenPlates(owner: PlateView, plate: PlateView, straight: boolean): OwnWire {
  const from = owner.y + owner.h;
  if (straight) {
    const ends = [
      { x: 172, y: from + 3 },
      { x: 172, y: plate.y - 3 },
    ];
    return { key: `own/${plate.key}^`, owner: owner.key, path: `M172 ${from}V${plate.y}`, ends };
  }
  const a = owner.y + owner.h / 2;
  const b = plate.y + plate.h / 2 - 6;
  const path = `M${PLATE.x} ${a}H101V${b}H${PLATE.x}`;
  return {
    key: `own/${plate.key}^`,
    owner: owner.key,
    path,
    ends: [
      { x: PLATE.x - 3, y: a },
      { x: PLATE.x - 3, y: b },
    ],
  };
}

/** Where a wire enters its Pod: slot 0 at + 47 and slot 1 at + 17 miss name, disc and kubelet. */
function risesOf(drawing: Drawing, owner: string): { x: number; y: number }[] {
  const rises = drawing.pods
    .filter((view) => view.pod.owner === owner)
    .map((view) => {
      const first = view.column === "f0";
      const inset = view.size === "half" ? HALF.w / 2 : first ? 47 : 17;
      const height = view.size === "full" ? POD.h : HALF.h;
      return { x: fix1(view.x + inset), y: view.y + height + 1 };
    });
  for (const stack of drawing.stacks) {
    if (stack.owners.has(owner)) rises.push({ x: fix1(stack.x + 47), y: stack.y + 69 });
  }
  return rises;
}

/** From the bridge down the after face of the first bulkhead, along the duct keel to every kubelet. */
export function watchWire(drawing: Drawing): { path: string; tips: number[] } {
  const { ship } = drawing;
  const tips = drawing.holds.map((hold) => fix1(hold.x + hold.p - (hold.narrow ? 29 : 42)));
  const far = Math.max(242, ...tips);
  return { path: `M242 ${ship.D - 4}V${ship.K - 22}H${far}`, tips };
}
