/** The small hull of scenes as numbers and paths (kit/ship.md, section 7): no deck house, no tank top. Pure. */
import { fix1 } from "../world";

export interface SmallHull {
  W: number;
  H: number;
  /** Deck, keel, waterline. */
  D: number;
  K: number;
  WL: number;
  /** Aft and forward end of the hold. */
  x0: number;
  x1: number;
  line: string;
  plate: { x: number; y: number; w: number; h: number };
}

/** Height of the hold, deck to keel; of plate and pipes above the deck, and of the sea below. */
const HOLD_LEAST = 112;
const HOLD_MOST = 150;
const ABOVE = 84;
const BELOW = 34;
/** Narrower than this the Service's plate stands under the ship's name and not beside it. */
const NARROW = 480;
const NAME_ROW = 38;
/** The least height a ship of this width needs. */
export const leastHeight = (width: number): number =>
  ABOVE + (width < NARROW ? NAME_ROW : 0) + HOLD_LEAST + BELOW;

export function smallHull(width: number, height: number): SmallHull {
  const W = Math.max(300, width);
  const small = W < NARROW;
  const m = small ? 6 : 16;
  const D = ABOVE + (small ? NAME_ROW : 0);
  const hold = Math.round(Math.min(HOLD_MOST, Math.max(HOLD_LEAST, height - D - BELOW)));
  const K = D + hold;
  const bow = W - (small ? 6 : 12);
  const w = Math.min(228, W - 24);
  const line = [
    `M${m} ${D}`,
    `C${m + 3} ${fix1(D + 0.46 * hold)} ${m + 20} ${K} ${m + 62} ${K}`, // stern, hollow down to the keel
    `H${bow - 71}`,
    `C${bow - 43} ${K} ${bow - 31} ${K - 10} ${bow - 31} ${K - 22}`, // bulb
    `C${bow - 31} ${K - 34} ${bow - 39} ${K - 36} ${bow - 39} ${K - 52}`,
    `C${bow - 39} ${K - 78} ${bow - 23} ${D + 26} ${bow} ${D - 16}`, // stem
    `H${bow - 40}`,
    `L${bow - 47} ${D}`,
    "Z",
  ].join(" ");
  return {
    W,
    H: K + BELOW,
    D,
    K,
    WL: Math.round(D + 0.43 * hold),
    x0: m + (small ? 26 : 38),
    x1: bow - (small ? 50 : 62),
    line,
    plate: { x: W - 12 - w, y: 6 + (small ? NAME_ROW : 0), w, h: 30 },
  };
}

export interface Compartment {
  x: number;
  w: number;
}

/** `n` compartments of equal width between the ship's ends. */
export function compartments(ship: SmallHull, n: number): Compartment[] {
  const w = (ship.x1 - ship.x0) / Math.max(1, n);
  return Array.from({ length: n }, (_, i) => ({ x: fix1(ship.x0 + i * w), w: fix1(w) }));
}

/** One leg down to each compartment from a header, and the riser to the plate: all one path, so that every joint is open. */
export function pipeTo(
  ship: SmallHull,
  legs: readonly { x: number; open: boolean }[],
  riser: number,
  from: number,
): string {
  if (legs.length === 0) return "";
  const y = legs.length === 1 && legs[0]?.x === riser ? from : from + 14;
  const ends = [
    ...legs.map((leg) => ({ x: leg.x, to: leg.open ? ship.D + 20 : ship.D - 26 })),
    { x: riser, to: from },
  ];
  ends.sort((a, b) => a.x - b.x);
  const first = ends[0];
  const last = ends.at(-1);
  if (!first || !last) return "";
  const middle = ends.slice(1, -1).map((end) => `M${end.x} ${y}V${end.to}`);
  return `M${first.x} ${first.to}V${y}H${last.x}V${last.to}${middle.join("")}`;
}

/** Waves along the top of the water in a flooded compartment. */
export function waveOf(x: number, w: number, y: number): string {
  const n = Math.max(1, Math.round(w / 40));
  const quarter = fix1(w / n / 4);
  return `M${x} ${y}${`q${quarter} -5 ${2 * quarter} 0t${2 * quarter} 0`.repeat(n)}`;
}
