/**
 * Where each Pod lies. A Pod keeps its slot until it is gone; new Pods take the first free slot.
 * Only a hold that becomes too full, or empty enough again, is berthed anew.
 */
import { fix1, type PodItem } from "./world";

/** How one hold carries its Pods: full capsules, half-size ones, or a stack with a count. */
export type Mode = "full" | "half" | "stack";
export interface Room {
  full: number;
  /** Full capsules first, then half-size ones two high in what is left beside them. */
  mixed: number;
  half: number;
}
export interface Berth {
  hold: string;
  slot: number;
}
export type Berths = ReadonlyMap<string, Berth>;

/** Capacities of a hold of pitch `p`: full slots every 99, half-size columns every 48, two high. */
export function roomOf(p: number, most = 6): Room {
  const full = Math.max(1, Math.min(most, Math.floor((p - 36) / 99)));
  const spare = p - 36 - full * 99;
  const mixed = full + (spare >= 46 ? 2 : 0);
  const columns = Math.max(2, Math.min(2 * most, Math.floor((p - 31 - 6 + 2) / 48)));
  return { full, mixed, half: 2 * columns };
}

/** One deck of the midship section: full capsules in up to three rows, then a stack. */
export function roomOfDeck(perRow: number): Room {
  return { full: 3 * perRow, mixed: 3 * perRow, half: 3 * perRow };
}

export function modeOf(count: number, room: Room): Mode {
  if (count <= room.mixed) return "full";
  return count <= room.half ? "half" : "stack";
}

/**
 * The berths after `before`, given who is aboard now. Pure: same arguments, same answer.
 * `pods` in order of creation, so that the older Pod gets the lower slot.
 */
export function berth(
  before: Berths,
  pods: readonly [key: string, pod: PodItem][],
  room: Room,
): Map<string, Berth> {
  const after = new Map<string, Berth>();
  const byHold = new Map<string, string[]>();
  for (const [key, pod] of pods) {
    if (!pod.node) continue;
    byHold.set(pod.node, [...(byHold.get(pod.node) ?? []), key]);
  }
  for (const [hold, keys] of byHold) berthHold(before, after, hold, keys, room);
  return after;
}

function berthHold(
  before: Berths,
  after: Map<string, Berth>,
  hold: string,
  keys: string[],
  room: Room,
): void {
  const limit = modeOf(keys.length, room) === "full" ? room.mixed : Number.POSITIVE_INFINITY;
  const taken = new Set<number>();
  const homeless: string[] = [];
  for (const key of keys) {
    const old = before.get(key);
    if (old && old.hold === hold && old.slot < limit && !taken.has(old.slot)) {
      taken.add(old.slot);
      after.set(key, old);
    } else homeless.push(key);
  }
  for (const key of homeless) {
    let slot = 0;
    while (taken.has(slot)) slot++;
    taken.add(slot);
    after.set(key, { hold, slot });
  }
}

export interface Place {
  x: number;
  y: number;
  size: "full" | "half";
  /** Which vertical line it hangs on: Pods of one column share a valve. */
  column: string;
}

/** Offset of slot `slot` from the hold's left bulkhead and the Pods' top line, in a ship's hold. */
export function placeInHold(slot: number, count: number, highest: number, room: Room): Place {
  const full = modeOf(count, room) === "full" && highest < room.mixed;
  if (full && slot < room.full) return { x: 31 + 99 * slot, y: 0, size: "full", column: `f${slot}` };
  if (full)
    return { x: 31 + 99 * room.full, y: (slot - room.full) * 72, size: "half", column: `f${room.full}` };
  return placeOfHalf(slot, room);
}

// Half-size order: first the columns where full capsules stood, so that nobody moves needlessly.
function placeOfHalf(slot: number, room: Room): Place {
  const columns = room.half / 2;
  const even = Array.from({ length: columns }, (_, i) => i).filter((i) => i % 2 === 0);
  const odd = Array.from({ length: columns }, (_, i) => i).filter((i) => i % 2 === 1);
  const order = [...even, ...odd];
  const column = order[slot % columns] ?? 0;
  const row = Math.min(1, Math.floor(slot / columns));
  return { x: fix1(31 + 48 * column), y: 72 * row, size: "half", column: `h${column}` };
}
