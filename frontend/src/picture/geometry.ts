/**
 * The hull as numbers and paths, in picture pixels at scale 1, origin top left of the picture.
 * Four horizontal lines carry every y (deck, keel, tank top, waterline), two edges every x.
 */

export interface Hull {
  W: number;
  H: number;
  /** Deck, keel: centre of their plating. Tank top: floor of the holds. Waterline. */
  D: number;
  K: number;
  T: number;
  WL: number;
  /** Aft bulkhead of the first hold, forward bulkhead of the last, pitch between bulkheads. */
  x0: number;
  x1: number;
  p: number;
  holds: number;
  /** Centre line of the plating, clockwise from the stern corner. */
  line: string;
  bulkheads: number[];
  frames: string;
  podY: number;
}

export const POD = { w: 94, h: 136 } as const;
export const HALF = { w: 46, h: 64 } as const;
export const DECK_POD = { w: 102, h: 74 } as const;
/** Below this height the ship is drawn smaller instead of flatter. */
export const LEAST_HEIGHT = 480;
/** Narrower pictures are cut the other way: the midship section. */
export const MIDSHIP_BELOW = 600;
const MOST_HOLDS = 12;
const LEAST_PITCH = 150;
const fix = (v: number): number => Number(v.toFixed(1));

/** `hull(1056, 500, 3)`: the ship of the lesson page at 1440 × 900. */
export function hull(width: number, height: number, nodes: number): Hull {
  const N = Math.min(MOST_HOLDS, Math.max(1, nodes));
  const W = Math.max(width, 345 + LEAST_PITCH * N);
  const H = Math.max(LEAST_HEIGHT, height);
  const D = H >= 500 ? 204 + Math.round(0.35 * (H - 500)) : H - 296;
  const K = H - 44;
  const T = K - 32;
  const WL = Math.round(D + 0.38 * (K - D));
  const x0 = 250;
  const x1 = W - 95;
  const p = (x1 - x0) / N;
  const line = [
    `M26 ${D}`, // stern, deck edge
    `C26 ${D + 116} 42 ${K - 106} 87 ${K - 64}`, // counter: hollow run down to the shaft
    `L94 ${K - 17}`, // stern post
    `Q96.5 ${K} 111 ${K}`, // turn into the keel
    `H${fix(W - 126)}`, // keel
    `C${fix(W - 84)} ${K} ${fix(W - 52.4)} ${K - 10} ${fix(W - 52.4)} ${K - 34}`, // bulb, under side
    `C${fix(W - 52.4)} ${K - 46} ${fix(W - 59)} ${fix(K - 55.5)} ${fix(W - 68)} ${fix(K - 60.5)}`, // bulb, nose to neck
    `C${fix(W - 76)} ${K - 65} ${fix(W - 83.7)} ${K - 69} ${fix(W - 83.7)} ${K - 81}`, // neck, the narrowest place
    `C${fix(W - 83.7)} ${K - 99} ${fix(W - 75)} ${K - 124} ${fix(W - 66)} ${K - 156}`, // stem, hollow
    `L${fix(W - 30)} ${D - 20}`, // stem, straight and raked
    `H${fix(W - 88)}`, // forecastle
    `L${fix(W - 95)} ${D}`, // break of the forecastle
    "Z",
  ].join(" ");
  const frames = Array.from(
    { length: Math.floor((x1 - 120) / 24) + 1 },
    (_, i) => `M${120 + 24 * i} ${T + 5}V${K - 5}`,
  );
  return {
    W,
    H,
    D,
    K,
    T,
    WL,
    x0,
    x1,
    p,
    holds: N,
    line,
    bulkheads: Array.from({ length: N + 1 }, (_, i) => fix(x0 + i * p)),
    frames: frames.join(""),
    podY: T - 188,
  };
}

/**
 * How large a picture is drawn: smaller where it is too low for the ship, larger (up to 1.5) where it is both wider
 * and higher than the ship needs, so that a big screen gets big labels and not empty holds.
 */
export function scaleFor(width: number, height: number, nodes: number): number {
  if (height < LEAST_HEIGHT) return Math.max(0.5, height / LEAST_HEIGHT);
  const natural = 345 + 237 * Math.max(1, nodes);
  return Math.max(1, Math.min(1.5, width / natural, height / 500));
}

/** Left edge of hold `i`, counted from the stern. */
export const holdX = (ship: Hull, i: number): number => fix(ship.x0 + i * ship.p);

export interface Midship {
  W: number;
  H: number;
  /** Deck and keel plating, waterline. */
  y0: number;
  yb: number;
  WL: number;
  line: string;
  decks: { top: number; height: number }[];
  /** Left edge of the first Pod and how many stand side by side in front of the Service pipe. */
  podX: number;
  perRow: number;
  pipeX: number;
}

/** Height of one deck: a Pod of 74, 9 under the deck above; lower pictures squeeze it a little, higher ones stretch it. */
const DECK_LEAST = 86;
const DECK_MOST = 108;

/** Room for Pods that hang from the crane, above the bridge. */
const CRANE_ROW = 92;

/** How many Pods of 102 stand side by side between node names and Service pipe. */
export const podsPerRow = (width: number): number => {
  const W = Math.max(320, width);
  return Math.max(1, Math.floor((W - 74 - (W < 372 ? 84 : 92) + 10) / 112));
};

/**
 * How far the inside of a midship section's plating is from the left edge at `y`: straight down to the turn of the
 * bilge, then along its curve, the last 75 above the keel.
 */
export function bilge({ y0, yb }: Pick<Midship, "y0" | "yb">, y: number): number {
  const turn = yb - 75;
  if (y <= turn) return fix(12 + (5 * (y - y0)) / Math.max(1, turn - y0) + PLATE);
  // Bisection along the curve of `line`: its y only falls towards the keel.
  let [from, to] = [0, 1];
  for (let i = 0; i < 20; i++) {
    const t = (from + to) / 2;
    if (cubic(t, -75, -27, 0, 0) < y - yb) from = t;
    else to = t;
  }
  return fix(cubic(from, 17, 18, 38, 86) + PLATE);
}
/** Half the plating, with what its slope adds where it turns. */
const PLATE = 7;
const cubic = (t: number, a: number, b: number, c: number, d: number): number =>
  (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t * t * c + t ** 3 * d;

/**
 * The ship cut the other way, for narrow pictures: nodes become decks, `rows[i]` Pod rows on deck i.
 * With `hanging` Pods the bridge makes room for the crane above it.
 */
export function midship(width: number, height: number, rows: number[], hanging = false): Midship {
  const W = Math.max(320, width);
  const y0 = 118 + (hanging ? CRANE_ROW : 0);
  const extra = rows.reduce((sum, n) => sum + (Math.max(1, n) - 1) * (DECK_POD.h + 8), 0);
  const room = (height - y0 - 22 - extra) / Math.max(1, rows.length);
  const deck = Math.round(Math.min(DECK_MOST, Math.max(DECK_LEAST, room)));
  const heights = (rows.length ? rows : [1]).map((n) => deck + (Math.max(1, n) - 1) * (DECK_POD.h + 8));
  const yb = y0 + 10 + heights.reduce((a, b) => a + b, 0) - 2;
  const H = Math.max(height, yb + 14);
  const line =
    `M12 ${y0} L17 ${yb - 75} C18 ${yb - 27} 38 ${yb} 86 ${yb} H${W - 86} ` +
    `C${W - 38} ${yb} ${W - 18} ${yb - 27} ${W - 17} ${yb - 75} L${W - 12} ${y0} Z`;
  let top = y0 + 1;
  const decks = heights.map((height) => {
    const deck = { top, height };
    top += height;
    return deck;
  });
  const podX = W < 372 ? 84 : 92;
  return {
    W,
    H,
    y0,
    yb,
    WL: Math.round(y0 + 0.432 * (yb - y0)),
    line,
    decks,
    podX,
    perRow: podsPerRow(W),
    pipeX: W - 44,
  };
}
